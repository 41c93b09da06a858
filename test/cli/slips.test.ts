// An operator's mistakes: each gets a sentence that says what to do and an exit code, never a stack.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BIN, newFolder, post, run, startServer, writeFiles } from '../support/server.ts'

const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const stdin = 'violet harbour lantern'

async function folderWithAnna(): Promise<string> {
  const folder = newFolder()
  await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: CHEAP, stdin })
  return folder
}

test('an unknown user is reported in other words than an unknown session', async () => {
  const folder = await folderWithAnna()
  const nobody = { code: 1, stdout: '', stderr: 'Nobody has that username. Nothing was changed.\n' }
  expect(await run(['user', 'show', 'otto', '--json'], { folder })).toMatchObject(nobody)
  expect(await run(['sessions', 'end', 'otto', 'x'], { folder })).toMatchObject(nobody)
  expect(await run(['sessions', 'end', 'anna', 'x'], { folder })).toMatchObject({
    code: 1,
    stderr: 'anna has no session with that id; sessions list shows which there are. Nothing was changed.\n',
  })
})

test.each([
  [['backup', ''], "error: missing required argument 'file'"],
  [['restore', '', '--yes'], "error: missing required argument 'file'"],
  [['user', 'rename', 'anna', ''], "error: missing required argument 'new-username'"],
])('an argument that a script left empty is missing: %j', async (args, said) => {
  expect(await run(args)).toMatchObject({ code: 2, stdout: '', stderr: `${said}\nAdd --help to see how it is used.\n` })
})

test('where no password came nothing is made', async () => {
  const folder = newFolder()
  expect((await run(['user', 'create', 'anna', '--password-stdin'], { folder })).code).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

test('a password sent with the byte order mark of Windows is the password without it', async () => {
  const folder = newFolder()
  const made = await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: CHEAP, stdin: `\ufeff${stdin}\r\n` })
  expect(made).toMatchObject({ code: 0, stdout: 'anna can log in now.\n' })
  const server = await startServer({ folder })
  expect((await post(server, '/api/login', { username: 'anna', password: stdin })).status).toBe(200)
})

const NOT_UTF8 =
  'The password did not arrive as UTF-8, and could not be typed again later. Send it as UTF-8. Nothing was changed.\n'

test.each([
  ['in Big5', Buffer.from('b1cfa5dcb1cfa5dcb1cfa5dcb1cf', 'hex'), NOT_UTF8],
  ['in Latin-1', Buffer.from('vi\u00f6let harbour lantern', 'latin1'), NOT_UTF8],
  ['in UTF-16 with its mark', Buffer.from(`\ufeff${stdin}`, 'utf16le'), NOT_UTF8],
  ['in UTF-16', Buffer.from(stdin, 'utf16le'), NOT_UTF8],
  ['with letters that a conversion lost', `vi\ufffdlet harbour lantern`, NOT_UTF8],
  ['of two lines', `${stdin}\nsecond line\n`, 'A password is one line, and this is more than one. Nothing was changed.\n'],
])(
  'an operator who sends a password %s reads that, and no account is made that nobody could log in to',
  async (_how, sent, stderr) => {
    const folder = newFolder()
    const reported = await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: CHEAP, stdin: sent })
    expect(reported).toMatchObject({ code: 1, stdout: '', stderr })
    expect(readdirSync(folder)).toEqual([])
  },
)

test.each([
  ['user', 'create', 'anna', '--password-stdin'],
  ['user', 'list'],
  ['backup', 'copy.db'],
])('with a database in memory nobody is told that %s %s worked', async (...args) => {
  const reported = await run(args, { env: { ...CHEAP, DATABASE_URL: 'sqlite::memory:' }, stdin })
  expect(reported).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^The database is in memory.*\n$/) })
})

// Root may write everywhere but there.
test.runIf(process.platform === 'linux')(
  'a database in a folder where no file can be made is named, with its folder',
  async () => {
    const { code, stderr } = await run(['migrate'], { env: { DATABASE_URL: 'sqlite:/proc/members.db' } })
    expect([code, stderr]).toEqual([1, '/proc cannot be written: give this user the right to, or write another DATABASE_URL.\n'])
  },
)

test('a folder in the place of the database, or a file in the place of its folder', async () => {
  const folder = newFolder()
  mkdirSync(join(folder, 'data/guildhall.db'), { recursive: true })
  const isFolder = 'DATABASE_URL leads to a folder: ./data/guildhall.db. Write the path of a file.'
  expect(await run(['migrate'], { folder })).toMatchObject({ code: 1, stderr: `${isFolder}\n` })
  expect((await run(['doctor'], { folder, env: CHEAP })).stdout).toContain(`error    ${isFolder}\n`)

  const other = newFolder()
  writeFiles(other, { data: '' })
  const { code, stdout } = await run(['doctor'], { folder: other, env: CHEAP })
  expect([code, stdout]).toEqual([
    1,
    expect.stringContaining('error    DATABASE_URL leads through something that is no folder: ./data\n'),
  ])
})

test.each([
  ['--trust-proxy', 'abc'],
  ['--trust-proxy', '99'],
  ['--database', 'sqlite://data/x.db'],
  ['--registration', 'perhaps'],
  ['--site-name', ''],
])('init %s %s is refused with the name of the flag', async (flag, value) => {
  const folder = newFolder()
  const { code, stderr } = await run(['init', '--yes', flag, value], { folder })
  expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^${flag}: .*\n$`))])
  expect(readdirSync(folder)).toEqual([])
})

test('init writes through no link that somebody left', async () => {
  const folder = newFolder()
  symlinkSync(join(folder, 'elsewhere'), join(folder, '.env'))
  expect(await run(['init', '--yes'], { folder })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^\.env exists already/),
  })
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
})

test('a reader of the first line alone, as head, sees no stack, and the work is done', async () => {
  const folder = await folderWithAnna()
  for (const args of [['--help'], ['user', 'list', '--json'], ['backup', 'copy.db']]) {
    const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: { PATH: process.env.PATH } })
    child.stdout.destroy()
    let reported = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      reported += text
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect([args, code, reported]).toEqual([args, 0, ''])
  }
  expect(existsSync(join(folder, 'copy.db'))).toBe(true)
})

test.skipIf(!existsSync('/dev/full'))('an answer that the disk has no room for is a failure in one line', async () => {
  const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${BIN}" --version > /dev/full`], { cwd: newFolder() })
  let reported = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    reported += text
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, reported]).toEqual([1, expect.stringMatching(/^The answer could not be written: .*\n$/)])
})
