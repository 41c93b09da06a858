// The command line speaks the operator's language: the terminal's, else the site's.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pad, table, widthOf } from '../../src/cli/columns.ts'
import { BIN, newFolder, run, startServer, writeFiles } from '../support/server.ts'

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

const ZH = { LANG: 'zh_TW.UTF-8', HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }

const COMMANDS = [
  'serve', 'migrate', 'user', 'user create', 'user list', 'user show', 'user set-status', 'user rename', 'sessions', 'sessions list',
  'sessions end', 'backup', 'restore', 'copy', 'init', 'doctor',
] // biome-ignore format: a list of names reads as a block

/** What is typed as it stands, in every language. */
const TYPED = new Set([
  ...COMMANDS.join(' ').split(/[ -]/),
  'guildhall',
  'help',
  'env',
  'example',
  'active',
  'suspended',
  'open',
  'closed',
  'JSON',
  'auto',
  'SIGHUP',
  'Redis',
  'REDIS',
  'URL',
  'sqlite',
  'postgres',
])

test('the help of every command has no English in it but what is typed', async () => {
  const folder = newFolder()
  for (const command of ['', ...COMMANDS]) {
    const { code, stdout, stderr } = await run([...command.split(' '), '--help'].filter(Boolean), { folder, env: ZH })
    expect([command, code, stderr]).toEqual([command, 0, ''])
    const words = stdout.replace(/(?<= )--?[a-z-]+/g, '').match(/[A-Za-z]{2,}/g) ?? []
    expect([command, words.filter((word) => !TYPED.has(word))]).toEqual([command, []])
  }
})

test.each<[string, string, string]>([
  ['migrat', 'There is no command migrat.\nDid you mean migrate?', '沒有 migrat 這個指令。\n是不是要用 migrate？'],
  ['user nonsense', 'There is no command nonsense.', '沒有 nonsense 這個指令。'],
  ['serve --nonsense', 'There is no option --nonsense for guildhall serve.', 'guildhall serve 沒有 --nonsense 這個選項。'],
  [
    'user list --jso',
    'There is no option --jso for guildhall user list.\nDid you mean --json?',
    'guildhall user list 沒有 --jso 這個選項。\n是不是要用 --json？',
  ],
  ['user create', 'guildhall user create needs the argument username.', 'guildhall user create 少了引數：使用者名稱。'],
  ['user create a --role', 'The option --role <role> needs a value.', '選項 --role <身分> 少了值。'],
  ['user list a b', 'Those are too many arguments for guildhall user list.', 'guildhall user list 的引數太多了。'],
  [
    'user create --passwrd=canary',
    'There is no option --passwrd for guildhall user create.',
    'guildhall user create 沒有 --passwrd 這個選項。',
  ],
])('guildhall %s is refused in the operator’s language', async (line, english, chinese) => {
  const folder = newFolder()
  const refused = { code: 2, stdout: '' }
  const args = line.split(' ')
  expect(await run(args, { folder })).toMatchObject({ ...refused, stderr: `${english}\nAdd --help to see how it is used.\n` })
  expect(await run(args, { folder, env: ZH })).toMatchObject({ ...refused, stderr: `${chinese}\n加上 --help 可以查看用法。\n` })
})

test('settings that do not work are told in it, all at once', async () => {
  const env = {
    ...ZH, NODE_ENV: 'production', BASE_URL: 'x', PORT: '70000', TRUST_PROXY: 'true', SECRET: 'short', SESSION_IDLE_TIMEOUT: '13h', SMTPURL: 'x',
    SMTP_URL: 'x', STRICT_ORIGIN: 'x', REGISTRATION: 'invite', DATABASE_URL: 'postgres:x', TLS_CERT: '/nowhere', COOKIE_NAME: ';',
  } // biome-ignore format: a list of settings reads as a block
  const { code, stdout, stderr } = await run(['serve'], { env })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^有 12 項設定需要再看一下：\n/)
  expect(stderr).toContain('  PORT 必須是 0 到 65535 之間的整數\n')
  expect(stderr).toContain('\n沒有 SMTPURL 這項設定：應該是 SMTP_URL\n')
  expect(stderr.split('\n').length).toBe(16)
  expect(stderr).not.toMatch(/\b(?:must|is|are|and|or|the|not)\b/)
})

test('a person at the terminal reads in it where the site is open and what to mend', async () => {
  const env = { PATH: process.env.PATH, LANG: 'zh_TW.UTF-8', PORT: '0', LOG_FORMAT: 'pretty', BASEURL: 'x' }
  const child = spawn(process.execPath, [BIN, 'serve'], { cwd: newFolder(), env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let shown = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    shown += text
    if (shown.includes('http:')) child.kill('SIGTERM')
  }
  expect(shown).toMatch(/WARN.*: 沒有 BASEURL 這項設定：應該是 BASE_URL\nGuildhall 已經啟動：http:\/\/localhost:\d+\n/)
})

test('lines for machines stay English, whoever starts the server', async () => {
  const server = await startServer({ env: { LANG: 'zh_TW.UTF-8', BASEURL: 'x' } })
  await server.stop()
  const told = server.lines().map(({ msg }) => msg)
  expect(told.slice(0, 2)).toEqual(['BASEURL is not a setting: BASE_URL is', `Guildhall is open at ${server.url}`])
  expect(server.output()).not.toMatch(/\p{Script=Han}/u)
})

test('a database of another time is told in it', async () => {
  const folder = newFolder()
  await run(['migrate'], { folder })
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(join(folder, 'data/guildhall.db'))
  database.exec('UPDATE guildhall_schema SET version = 999')
  expect((await run(['user', 'list'], { folder, env: ZH })).stderr).toMatch(/^資料庫的結構版本是 999，這個程式只認得 \d+：.*\n$/)
  database.exec('UPDATE guildhall_schema SET version = 0')
  database.close()
  expect(await run(['user', 'list'], { folder })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The database is older.*\n$/),
  })
  expect((await run(['user', 'list'], { folder, env: ZH })).stderr).toMatch(/^資料庫比這個程式舊：.*\n$/)
})

test('a backup that has nowhere to go is no mistake of ours', async () => {
  const folder = newFolder()
  await run(['migrate'], { folder })
  const { code, stderr } = await run(['backup', 'nowhere/copy.db'], { folder, env: ZH })
  expect([code, stderr]).toEqual([1, '無法寫入 nowhere/copy.db：請指定這個使用者可以寫入的現有資料夾。沒有任何變動。\n'])
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
