// The programs in docs/guides are whole: they compile as they are printed, and the tests among them pass.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from './support/program.ts'

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
