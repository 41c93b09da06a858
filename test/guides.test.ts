// The programs in docs/guides are whole: they compile as they are printed, and the tests among them pass.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hash } from '@node-rs/bcrypt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inDatabase } from './support/database-inspector.ts'
import { ROOT } from './support/program.ts'
import { openSite } from './support/site.ts'

const GUIDES = ['testing', 'websockets']
const run = promisify(execFile)
let folder: string

beforeAll(() => {
  // Inside the project, so that `guildhall` is found by its own name.
  mkdirSync(join(ROOT, 'test/.tmp'), { recursive: true })
  folder = mkdtempSync(join(ROOT, 'test/.tmp/guides-'))
  for (const guide of GUIDES) {
    const text = readFileSync(join(ROOT, `docs/guides/${guide}.md`), 'utf8')
    const programs = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
    for (const [n, code] of programs.entries()) writeFileSync(join(folder, `${guide}-${n + 1}.ts`), code)
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'] }))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('they compile', async () => {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
}, 120_000)

test('the tests of the testing guide pass', async () => {
  const files = ['testing-1.ts', 'testing-2.ts'].map((file) => join(folder, file))
  const env = { PATH: process.env.PATH }
  const { stdout } = await run(process.execPath, ['--conditions=guildhall-source', '--test', '--test-reporter=tap', ...files], {
    env,
  })
  expect(stdout).toMatch(/^# fail 0$/m)
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(15)
})

test('people whom the script of the swap brings along log in with the password they had', async () => {
  const guide = readFileSync(join(ROOT, 'docs/guides/from-express-session.md'), 'utf8')
  const script = [...guide.matchAll(/```js\n([\s\S]*?)```/g)]
    .map(([, code = '']) => code)
    .find((code) => code.includes('oldUsers'))
  const site = await openSite({ database: `sqlite:${join(folder, 'data/members.db')}` })
  const oldUsers = [
    { username: 'Anna', passwordHash: await hash('a password of old', { cost: 4 }), createdAt: 1_700_000_000_000 },
  ]
  writeFileSync(join(folder, 'old-users.js'), `export const oldUsers = ${JSON.stringify(oldUsers)}\n`)
  writeFileSync(join(folder, 'import.js'), script ?? '')
  await run(process.execPath, ['import.js'], { cwd: folder })
  const anna = site.visitor()
  expect((await anna.logIn('anna', 'not that one')).status).toBe(401)
  expect((await anna.logIn('anna', 'a password of old')).status).toBe(200)
  expect((await anna.api('/profile')).json().user).toMatchObject({ username: 'Anna', createdAt: '2023-11-14T22:13:20.000Z' })
  const [credential] = await inDatabase(site, 'SELECT data FROM guildhall_credentials')
  expect(credential?.data).toMatch(/^\$argon2id\$/)
  await site.close()
})
