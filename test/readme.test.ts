// What the README says is true: its programs run, its commands do what it says.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryStore } from '../src/session/index.ts'
import { settingsFrom } from '../src/settings/check.ts'
import { sessionRow } from '../src/testing/session-row.ts'
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

/** Runs a program of the README unchanged, except its port. */
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

test('the two commands are scripts of the package, and what is named and compared is this version', () => {
  const { scripts, version, engines, peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(blocks('sh').slice(0, 2)).toEqual(['npm ci && npm start\n', 'npm ci && npm test\n'])
  expect(scripts).toMatchObject({ start: 'node bin/guildhall.js serve', test: 'vitest run' })
  expect(readme).toContain(`| | Guildhall ${version.split('.', 2).join('.')} |`)
  expect(readme).toContain(`npm install ../guildhall/guildhall-${version}.tgz express`)
  expect([engines.node, peerDependencies.express]).toEqual(['>=22.18', '^4.21.0 || ^5.0.0'])
  expect(readme).toContain('It needs Node 22.18 or newer')
  expect(readme).toContain('and Express 4.21 or 5 ')
})

/** The lines of the block that begins so, without `guildhall` and comments. */
function commands(start: string): string[] {
  const block = blocks('sh').find((code) => code.startsWith(start)) ?? ''
  return [...block.matchAll(/^guildhall (.*?)(?: +#.*)?$/gm)].map(([, command = '']) => command)
}

/** Runs `guildhall COMMAND` as a shell would, in a folder of its own. */
async function guildhall(command: string, { cwd, input = '' }: { cwd: string; input?: string }): Promise<string> {
  const env = { PATH: process.env.PATH }
  const program = join(ROOT, 'bin/guildhall.js')
  const running = run('sh', ['-c', `exec "$0" "$1" ${command}`, process.execPath, program], { cwd, env })
  running.child.stdin?.end(input)
  return (await running).stdout
}

test('the commands that open a public site write its settings, find nothing wrong with them, and serve it', async () => {
  const cwd = mkdtempSync(join(folder, 'site-'))
  const [init = '', doctor = '', serve = ''] = commands('guildhall init')
  await guildhall(init, { cwd })
  expect(await guildhall(doctor, { cwd })).toContain('Nothing here keeps the site from working.')
  const server = await runProgram([join(ROOT, 'bin/guildhall.js'), serve], { cwd })
  expect(server.output()).toContain('https://members.example.org')
  const fromOutside = { host: 'members.example.org', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' }
  const [answer] = (await once(get(`${server.base}/login`, { headers: fromOutside }), 'response')) as [IncomingMessage]
  expect([answer.statusCode, answer.headers['strict-transport-security']]).toEqual([200, expect.stringContaining('max-age=')])
  answer.resume()
  await server.stop()
})

test('the commands of the operator make an account, list it, end its sessions and copy the database', async () => {
  const cwd = mkdtempSync(join(folder, 'operator-'))
  const [create = '', list = '', end = '', backup = '', ...more] = commands('guildhall user create')
  expect(await guildhall(`${create} --password-stdin`, { cwd, input: `${GOOD_PASSWORD}\n` })).toContain('alice')
  expect(await guildhall(list, { cwd })).toMatch(/alice +Alice +active +admin/)
  expect(await guildhall(end, { cwd })).toContain('0 sessions')
  await guildhall(backup, { cwd })
  expect(existsSync(join(cwd, 'copy.db'))).toBe(true)
  expect(more).toEqual([])
})

test('the figures that it names are the defaults', () => {
  const { settings } = settingsFrom({ baseUrl: 'http://localhost', database: 'sqlite::memory:' })
  const minute = 60_000
  expect(settings.session).toEqual({ idleMs: 15 * minute, absoluteMs: 720 * minute })
  expect(readme).toContain('end after 15 idle minutes and after 12 hours')
  expect(settings.remember).toEqual({ idleMs: 14 * 1440 * minute, absoluteMs: 30 * 1440 * minute })
  expect(readme).toContain('14 idle days and 30 days')
  expect(settings.passwords).toMatchObject({ memoryKiB: 19 * 1024, passes: 2 })
  expect(readme).toContain('argon2id (19 MiB, two passes)')
  const store = new MemoryStore()
  for (let n = 0; n <= 100_000; n++) store.create(sessionRow())
  expect(store.size).toBe(100_000)
  expect(readme).toContain('keeps 100 000 sessions in memory')
})

test('what it says of races is what was counted', () => {
  const { runs } = JSON.parse(readFileSync(join(ROOT, 'stress/results.json'), 'utf8'))
  const counts = (id: string) => runs.find((stressRun: { id: string }) => stressRun.id === id).measured
  expect(counts('D-22, F-30')).toMatchObject({
    'memory: logouts, each against 2 slow requests': 10_000,
    'memory: old cookies that were let in at the end of all': 0,
  })
  expect(readme).toContain('[none of 10 000 was]')
  expect(counts('comparison')).toMatchObject({
    'express-session, MemoryStore: logouts': 300,
    'express-session, MemoryStore: logouts undone': 300,
  })
  expect(readme).toContain('[300 of 300 were]')
})

test('each point of what one gets leads to what proves it', () => {
  const [, list = ''] = /## What you get\n\n([\s\S]*?)\n\n/.exec(readme) ?? []
  const points = list.split('\n')
  expect(points.length).toBeGreaterThan(6)
  expect(points.filter((point) => !/\]\((?:docs|test)\//.test(point))).toEqual([])
})
