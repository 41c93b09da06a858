// The command line speaks English, whatever the terminal or the site speaks: what it says can be searched for.
import { expect, test } from 'vitest'
import { pad, table, widthOf } from '../../src/cli/columns.ts'
import { newFolder, run, startServer, writeFiles } from '../support/server.ts'

const CHINESE = { LANG: 'zh_TW.UTF-8', LC_ALL: 'zh_TW.UTF-8', LANGUAGE: 'zh_TW', HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }

test('the language of the terminal and of the site change nothing', async () => {
  const folder = newFolder()
  writeFiles(folder, { '.env': 'LOCALE=zh-TW\n' })
  const outputOf = async (...args: string[]) => {
    const { stdout, stderr } = await run(args, { folder, env: CHINESE, stdin: 'short' })
    return stdout + stderr
  }
  expect(await outputOf('migrate')).toMatch(/ is up to date \(schema \d+\)\.\n$/)
  expect(await outputOf('user', 'list')).toBe('Nobody has an account yet.\n')
  const all = [
    await outputOf('--help'),
    await outputOf('doctor'),
    await outputOf('user', 'create', 'a', '--password-stdin'),
    await outputOf('user', 'show', 'otto'),
    await outputOf('serve', '--workers', '0'),
  ]
  expect(all.join('\n')).not.toMatch(/\p{Script=Han}/u)
  expect(all[2]).toBe('Username: Use at least 3 characters.\nPassword: Use at least 8 characters.\n')
})

test('every command has its help', async () => {
  const folder = newFolder()
  const commands = [
    '', 'serve', 'migrate', 'user', 'user create', 'user list', 'user show', 'user set-status', 'user unlock', 'user send-reset', 'user rename', 'sessions', 'sessions list',
    'sessions end', 'backup', 'restore', 'copy', 'init', 'doctor',
  ] // biome-ignore format: a list of names reads as a block
  for (const command of commands) {
    const { code, stdout, stderr } = await run([...command.split(' '), '--help'].filter(Boolean), { folder })
    expect([command, code, stderr]).toEqual([command, 0, ''])
    expect(stdout).toContain(`Usage: guildhall ${command}`.trim())
  }
})

test.each<[string, string]>([
  ['migrat', "error: unknown command 'migrat'\n(Did you mean migrate?)"],
  ['user nonsense', "error: unknown command 'nonsense'"],
  ['serve --nonsense', "error: unknown option '--nonsense'"],
  ['user list --jso', "error: unknown option '--jso'\n(Did you mean --json?)"],
  ['user create', "error: missing required argument 'username'"],
  ['user create a --role', "error: option '--role <role>' argument missing"],
  ['user list a canary', "error: too many arguments for 'list'."],
  ['user create --passwrd=canary', "error: unknown option '--passwrd'"],
])('guildhall %s is refused, and no value is repeated', async (line, text) => {
  const refused = { code: 2, stdout: '', stderr: `${text}\nAdd --help to see how it is used.\n` }
  expect(await run(line.split(' '), { folder: newFolder() })).toMatchObject(refused)
})

test('settings that do not work are listed, all at once', async () => {
  const env = {
    ...CHINESE, NODE_ENV: 'production', BASE_URL: 'x', PORT: '70000', TRUST_PROXY: 'true', SECRET: 'short', SESSION_IDLE_TIMEOUT: '13h', SMTPURL: 'x',
    SMTP_URL: 'x', STRICT_ORIGIN: 'x', REGISTRATION: 'invite', DATABASE_URL: 'postgres:x', TLS_CERT: '/nowhere', COOKIE_NAME: ';',
  } // biome-ignore format: a list of settings reads as a block
  const { code, stdout, stderr } = await run(['serve'], { env })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^\d+ settings need another look:\n/)
  expect(stderr).toContain('  PORT must be a whole number from 0 to 65535\n')
  expect(stderr).toContain('\nSMTPURL is not a setting: SMTP_URL is\n')
  for (const name of Object.keys(env)) {
    if (!(name in CHINESE) && name !== 'NODE_ENV') expect(stderr, name).toContain(name)
  }
})

test('the log is English in every locale', async () => {
  const server = await startServer({ env: { LANG: 'zh_TW.UTF-8', BASEURL: 'x' } })
  await server.stop()
  const outputOf = server.lines().map(({ msg }) => msg)
  expect(outputOf.slice(0, 2)).toEqual(['BASEURL is not a setting: BASE_URL is', `Guildhall is open at ${server.url}`])
  expect(server.output()).not.toMatch(/\p{Script=Han}/u)
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
