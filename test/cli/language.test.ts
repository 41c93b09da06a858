// The command line speaks the operator's language: the terminal's, else the site's.
import { expect, test } from 'vitest'
import { pad, table, widthOf } from '../../src/cli/columns.ts'
import { newFolder, run, writeFiles } from '../support/server.ts'

const ENGLISH = 'Nobody has an account yet.\n'
const CHINESE = '還沒有任何帳號。\n'

test.each([
  [{}, ENGLISH],
  [{ LANG: 'en_US.UTF-8', LOCALE: 'zh-TW' }, ENGLISH],
  [{ LANG: 'zh_TW.UTF-8' }, CHINESE],
  [{ LANG: 'en_US.UTF-8', LC_ALL: 'zh_TW' }, CHINESE],
  [{ LANG: 'en_US.UTF-8', LC_MESSAGES: 'zh_HK.UTF-8' }, CHINESE],
  [{ LANG: 'en_US.UTF-8', LANGUAGE: 'zh_TW:en' }, CHINESE],
  [{ LANG: 'zh_TW.UTF-8', LC_ALL: 'en_GB.UTF-8' }, ENGLISH],
  [{ LANG: 'C.UTF-8', LOCALE: 'zh-TW' }, CHINESE],
  [{ LC_ALL: 'POSIX' }, ENGLISH],
])('with %o', async (env, text) => {
  const folder = newFolder()
  await run(['migrate'], { folder })
  expect(await run(['user', 'list'], { folder, env })).toMatchObject({ code: 0, stdout: text, stderr: '' })
})

test('the site’s language may stand in .env', async () => {
  const folder = newFolder()
  writeFiles(folder, { '.env': 'LOCALE=zh-TW\n' })
  const { code, stderr } = await run(['user', 'list'], { folder })
  expect([code, stderr]).toEqual([1, './data/guildhall.db 還沒有資料庫。執行 migrate 或 serve 就會建立。\n'])
})

test('help, refusals and the doctor are in it, and JSON stays as it is', async () => {
  const folder = newFolder()
  const env = { LANG: 'zh_TW.UTF-8', HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
  const help = await run(['--help'], { folder, env })
  expect(help.stdout).toMatch(/^用法： guildhall/)
  expect(help.stdout).toContain('指令：')
  expect(help.stdout).not.toMatch(/Usage:|Options:|Commands:/)
  const refused = await run(['user', 'create', 'a', '--password-stdin'], { folder, env, stdin: 'short' })
  expect(refused.stderr).toBe('使用者名稱：至少要有 3 個字元。\n密碼：至少要有 8 個字元。\n')
  const secret = 'x'.repeat(40)
  const { stdout } = await run(['doctor'], { folder, env: { ...env, SECRET: secret } })
  expect(stdout).toMatch(/^正常 {5}Node /)
  expect(stdout).toContain('SECRET 的來源：環境變數。')
  expect(stdout.match(/[A-Z][a-z]+ [a-z]+ [a-z]+/)).toBeNull()
  const json = await run(['doctor', '--json'], { folder, env })
  expect(JSON.parse(json.stdout)).toMatchObject({ well: true })
})

test('columns stand under each other, whatever the script', () => {
  expect([widthOf('名稱'), widthOf('Ａ、'), widthOf('é'), widthOf('e\u0301'), widthOf('\u{1F600}')]).toEqual([4, 4, 1, 1, 2])
  expect(pad('名', 4)).toBe('名  ')
  expect(
    table([
      ['使用者', 'x'],
      ['anna', 'y'],
    ]),
  ).toBe('使用者  x\nanna    y')
})
