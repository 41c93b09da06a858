// What the README says is true: its programs run, its commands do what it says.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, type Program, ROOT, runProgram } from './support/program.ts'
import { GOOD_PASSWORD, Visitor } from './support/visitor.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const run = promisify(execFile)
let folder: string

beforeAll(() => {
  // Inside the project, so that `guildhall` is found by its own name.
  mkdirSync(join(ROOT, 'test/.tmp'), { recursive: true })
  folder = mkdtempSync(join(ROOT, 'test/.tmp/readme-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code)
}

/** Runs a program of the README as it stands, but for its port. */
async function runBlock(code: string, name: string): Promise<Program> {
  const port = await freePort()
  const file = join(folder, name)
  writeFileSync(file, code.replaceAll('3000', String(port)))
  return runProgram(['--conditions=guildhall-source', file], { cwd: folder, port })
}

test('the example of a whole membership runs as it is printed', async () => {
  const [code = ''] = blocks('ts')
  const program = await runBlock(code, 'membership.ts')
  const visitor = new Visitor(program.base)
  expect((await visitor.get('/')).text).toBe('Hello stranger')
  expect((await visitor.get('/diary')).location).toBe('/login?returnTo=%2Fdiary')
  await visitor.register('alice')
  expect((await visitor.get('/')).text).toBe('Hello alice')
  expect((await visitor.get('/diary')).text).toBe('Dear diary, this is alice')
  await program.stop()
})

test('the example of the sessions alone counts visits as it is printed', async () => {
  const code = blocks('ts').find((block) => block.includes('views')) ?? ''
  const program = await runBlock(code, 'sessions.ts')
  const visitor = new Visitor(program.base)
  for (const n of [1, 2, 3]) expect((await visitor.get('/')).text).toBe(`You have visited this page ${n} times`)
  await program.stop()
})

test('the curl commands register, read the profile and log out', async () => {
  const server = await runProgram(['bin/guildhall.js', 'serve'], { env: { DATABASE_URL: `sqlite:${join(folder, 'curl.db')}` } })
  const commands = (blocks('sh').find((block) => block.startsWith('curl')) ?? '').trim().split('\n')
  const answers: string[] = []
  for (const command of commands) {
    const { stdout } = await run(
      'sh',
      ['-c', `${command.replaceAll('http://localhost:3000', server.base)} -s -w ' %{http_code}'`],
      { cwd: folder },
    )
    answers.push(stdout)
  }
  await server.stop()
  expect(answers).toEqual([expect.stringMatching(/"bea".* 201$/), expect.stringMatching(/"bea".* 200$/), ' 204'])
})

test('the two commands are scripts of the package, and the command line it names exists', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(blocks('sh').slice(0, 2)).toEqual(['npm ci && npm start\n', 'npm ci && npm test\n'])
  expect(scripts).toMatchObject({ start: 'node bin/guildhall.js serve', test: 'vitest run' })
  const env = { PATH: process.env.PATH, DATABASE_URL: `sqlite:${join(folder, 'cli.db')}` }
  const { stdout } = await run(process.execPath, ['bin/guildhall.js', '--help'], { cwd: ROOT, env })
  for (const name of ['serve', 'user', 'doctor', 'migrate']) expect(stdout).toContain(name)
  const made = promisify(execFile)(
    process.execPath,
    ['bin/guildhall.js', 'user', 'create', 'alice', '--display-name', 'Alice', '--role', 'admin', '--password-stdin'],
    { cwd: ROOT, env },
  )
  made.child.stdin?.end(`${GOOD_PASSWORD}\n`)
  await made
  expect((await run(process.execPath, ['bin/guildhall.js', 'user', 'list'], { cwd: ROOT, env })).stdout).toContain('alice')
})
