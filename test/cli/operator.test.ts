// The command line for accounts, sessions and the first settings, as an operator uses it.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../support/needs.ts'
import { BIN, newFolder, post, run, startServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const password = 'violet harbour lantern'

async function folderWith(...names: string[]): Promise<string> {
  const folder = newFolder()
  for (const name of names) await run(['user', 'create', name, '--password-stdin'], { folder, env: CHEAP, stdin: password })
  return folder
}

describe('accounts', () => {
  test('an account is shown, closed, opened and renamed beside a running server', async () => {
    const folder = await folderWith('anna')
    const server = await startServer({ folder })
    const shown = await run(['user', 'show', 'ANNA'], { folder })
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toMatch(/Username +anna\n[\s\S]*Status +active\n[\s\S]*Sessions +0\n/)

    expect(await run(['user', 'set-status', 'anna', 'suspended'], { folder })).toMatchObject({ code: 0 })
    expect((await post(server, '/api/login', { username: 'anna', password })).status).toBe(401)
    const opened = await run(['user', 'set-status', 'anna', 'active', '--json'], { folder })
    expect(JSON.parse(opened.stdout)).toMatchObject({ username: 'anna', status: 'active' })
    expect(await run(['user', 'rename', 'anna', 'Hanna'], { folder })).toMatchObject({ code: 0, stdout: 'anna is Hanna now.\n' })
    expect((await post(server, '/api/login', { username: 'hanna', password })).status).toBe(200)
  })

  test('an operator unlocks a member whose account wrong passwords have locked, beside a running server', async () => {
    const folder = await folderWith('anna')
    const server = await startServer({ folder })
    const logIn = async (password: string) => (await post(server, '/api/login', { username: 'anna', password })).status
    for (let n = 0; n < 5; n++) expect(await logIn('wrong, all wrong')).toBe(401)
    expect(await logIn(password)).toBe(429)
    expect(await run(['user', 'unlock', 'ANNA'], { folder })).toMatchObject({ code: 0, stdout: 'anna can log in again.\n' })
    expect(await logIn(password)).toBe(200)
    const again = await run(['user', 'unlock', 'anna'], { folder })
    expect(again).toMatchObject({ code: 0, stdout: 'anna was not locked. Nothing was changed.\n' })
    const json = await run(['user', 'unlock', 'anna', '--json'], { folder })
    expect(JSON.parse(json.stdout)).toMatchObject({ username: 'anna', wasLocked: false })
    expect((await run(['user', 'unlock', 'nobody'], { folder })).code).toBe(1)
  })

  test('a program reads the same user at the command line and in the API', async () => {
    const folder = newFolder()
    const make = ['user', 'create', 'anna', '--role', 'admin', '--password-stdin', '--json']
    const made = await run(make, { folder, env: CHEAP, stdin: password })
    const server = await startServer({ folder })
    const { user } = JSON.parse((await post(server, '/api/login', { username: 'anna', password })).text)
    expect(JSON.parse(made.stdout)).toEqual(user)
    expect(JSON.parse((await run(['user', 'list', '--json'], { folder })).stdout)).toEqual([{ ...user, status: 'active' }])
    const { status, sessions, emailUndeliverable, passwordChangedAt, ...shown } = JSON.parse(
      (await run(['user', 'show', 'anna', '--json'], { folder })).stdout,
    )
    expect(shown).toEqual(user)
    expect([status, sessions, emailUndeliverable, passwordChangedAt]).toEqual(['active', 1, false, user.createdAt])
  })

  test('wrong usage is 2, what cannot be done is 1, and nothing is changed', async () => {
    const folder = await folderWith('anna', 'otto')
    expect((await run(['user', 'set-status', 'anna', 'asleep'], { folder })).code).toBe(2)
    expect((await run(['user', 'show'], { folder })).code).toBe(2)
    expect((await run(['user', 'show', 'nobody'], { folder })).code).toBe(1)
    expect((await run(['user', 'rename', 'anna', 'OTTO'], { folder })).code).toBe(1)
    expect((await run(['user', 'rename', 'anna', '-'], { folder })).code).toBe(1)
    expect((await run(['sessions', 'end', 'anna'], { folder })).code).toBe(2)
  })

  test('an operator changes what a member is called, and takes the name away again', async () => {
    const folder = await folderWith('anna')
    const named = await run(['user', 'set-display-name', 'ANNA', 'Anna B'], { folder })
    expect(named).toMatchObject({ code: 0, stdout: 'anna is shown as Anna B now.\n' })
    const unnamed = await run(['user', 'set-display-name', 'anna', '--json'], { folder })
    expect(JSON.parse(unnamed.stdout)).toMatchObject({ username: 'anna', displayName: 'anna' })
    const refused = await run(['user', 'set-display-name', 'anna', 'Administrator'], { folder })
    expect(refused).toMatchObject({ code: 1, stderr: 'Display name: This one is set aside. Choose another.\n' })
    expect((await run(['user', 'set-display-name', 'anna', ''], { folder })).code).toBe(2)
  })

  test('sessions are listed and ended, one or all', async () => {
    const folder = await folderWith('anna')
    const server = await startServer({ folder })
    for (let n = 0; n < 3; n++) await post(server, '/api/login', { username: 'anna', password })
    const listed: { id: string }[] = JSON.parse((await run(['sessions', 'list', 'anna', '--json'], { folder })).stdout)
    expect(listed).toHaveLength(3)
    expect((await run(['sessions', 'list', 'anna'], { folder })).stdout.split('\n')).toHaveLength(5)
    const one = await run(['sessions', 'end', 'anna', listed[0]?.id ?? ''], { folder })
    expect(one).toMatchObject({ code: 0, stdout: 'One session is ended.\n' })
    const all = await run(['sessions', 'end', 'anna', '--all', '--json'], { folder })
    expect(JSON.parse(all.stdout)).toEqual({ ended: 2 })
    expect((await run(['sessions', 'list', 'anna'], { folder })).stdout).toBe('anna is logged in nowhere.\n')
  })
})

describe('the audit trail', () => {
  test('an operator reads who did what from where, of everybody or of one, by name or by the id of the log', async () => {
    const folder = await folderWith('anna')
    const server = await startServer({ folder })
    await post(server, '/api/login', { username: 'anna', password: 'not the password' })
    await post(server, '/api/login', { username: 'anna', password })
    await post(server, '/api/login', { username: 'nobody', password })
    const { id } = JSON.parse((await run(['user', 'show', 'ANNA', '--json'], { folder })).stdout)
    const trail = async (...more: readonly string[]) => JSON.parse((await run(['audit', '--json', ...more], { folder })).stdout)
    const of = (entries: { event: string; outcome: string; username: string | null; ip: string | null }[]) =>
      entries.map(({ event, outcome, username, ip }) => [event, outcome, username, ip])
    const hers = [
      ['registered', 'success', 'anna', null],
      ['login', 'wrong_password', 'anna', '127.0.0.1'],
      ['login', 'success', 'anna', '127.0.0.1'],
    ]
    expect(of(await trail())).toEqual([...hers, ['login', 'wrong_password', null, '127.0.0.1']])
    expect(of(await trail('--user', 'anna', '--since', '1h'))).toEqual(hers)
    expect(of(await trail('--user', id, '--since', '2020-01-31'))).toEqual(hers)
    expect(await trail('--since', '2999-01-01T00:00Z')).toEqual([])
    const { stdout } = await run(['audit', '--user', 'anna'], { folder })
    expect(stdout).toMatch(/registered +success +anna +operator +-/)
    expect(stdout).toMatch(/login +wrong_password +anna +- +127\.0\.0\.1[\s\S]*\n3 entries\n$/)
    expect(await run(['audit', '--since', 'yesterday'], { folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('24h'),
    })
    expect(await run(['audit', '--user', 'nobody'], { folder })).toMatchObject({ code: 1, stdout: '' })
  })

  test('the list of accounts says who is suspended, and an account is shown by the id of the log', async () => {
    const folder = await folderWith('anna')
    await run(['user', 'set-status', 'anna', 'suspended'], { folder })
    expect((await run(['user', 'list'], { folder })).stdout).toMatch(/^anna .* suspended /m)
    const [{ id, status }] = JSON.parse((await run(['user', 'list', '--json'], { folder })).stdout)
    expect(status).toBe('suspended')
    expect((await run(['user', 'show', id], { folder })).stdout).toContain('anna')
    expect(await run(['user', 'show', id.replace(/./, 'f')], { folder })).toMatchObject({ code: 1 })
  })
})

test('somebody who makes an account in the wrong folder is told that a new database was made there', async () => {
  const folder = newFolder()
  const options = { folder, env: { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }, stdin: password }
  const { code, stdout, stderr } = await run(['user', 'create', 'anna', '--password-stdin'], options)
  const path = join(realpathSync(folder), 'data/guildhall.db')
  expect([code, stdout, stderr]).toEqual([0, 'anna can log in now.\n', `There was no database at ${path}: a new one is made.\n`])
  expect(await run(['user', 'create', 'otto', '--password-stdin'], options)).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  ['a name of signs', ['-'], password, /^Username: /],
  ['a password that is too short', ['anna'], 'short', /^Password: /],
  ['a password that everybody knows', ['anna'], 'password1', /^Password: /],
  ['a display name that is set aside', ['anna', '--display-name', 'Administrator'], password, /^Display name: /],
  ['a role that is none', ['anna', '--role', 'a b'], password, /^Role: /],
])('somebody who makes an account with %s is refused before a database or a secret is made', async (_, args, stdin, words) => {
  const folder = newFolder()
  const { code, stdout, stderr } = await run(['user', 'create', '--password-stdin', ...args], { folder, env: CHEAP, stdin })
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)])
  expect(readdirSync(folder)).toEqual([])
})

describeWith('script', 'at a terminal', () => {
  test('somebody with a username that cannot be is told before they choose a password', async () => {
    const folder = newFolder()
    const child = spawn('script', ['-qfec', `${process.execPath} ${BIN} user create ab`, '/dev/null'], {
      cwd: folder,
      env: { PATH: process.env.PATH },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let shown = ''
    child.stdout.on('data', (data: Buffer) => {
      shown += data.toString()
    })
    await new Promise((resolve) => child.once('exit', resolve))
    expect(shown).toMatch(/Username: /)
    expect(shown).not.toContain('Password for')
    expect(readdirSync(folder)).toEqual([])
  })

  test('somebody who answers a question of init has answered it, and Enter alone takes the default', async () => {
    const folder = newFolder()
    const child = spawn('script', ['-qfec', `stty cols 120 rows 40; ${process.execPath} ${BIN} init`, '/dev/null'], {
      cwd: folder,
      stdio: 'pipe',
    })
    let shown = ''
    child.stdout.on('data', (data: Buffer) => {
      shown += data.toString()
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    onTestFinished(() => void child.kill('SIGKILL'))
    const answers = [
      ['reach the site', ''],
      ['site called', 'Seaside Club'],
      ['Where is the database', ''],
      ['Who may register', 'closed'],
      ['proxies', ''],
    ]
    for (const [question = '', answer = ''] of answers) {
      await until(() => shown.includes(question))
      child.stdin.write(`${answer}\r`)
    }
    await ended
    const text = readFileSync(join(folder, '.env'), 'utf8')
    expect(text).toContain('SITE_NAME="Seaside Club"\n')
    expect(text).toContain('REGISTRATION=closed\n')
    expect(text).toContain('BASE_URL=http://localhost:3000\n')
  })
})

test('an operator who lists the sessions of somebody with a hostile browser sees escapes, and a program reads the same text', async () => {
  const folder = await folderWith('anna')
  const server = await startServer({ folder })
  const agent = 'Firefox \u009b2J\u0085 Linux'
  await post(server, '/api/login', { username: 'anna', password }, { 'User-Agent': agent })
  const { stdout } = await run(['sessions', 'list', 'anna', '--json'], { folder })
  expect(stdout).not.toMatch(/[\u0080-\u009f]/)
  expect(stdout).toContain('\\u009b2J')
  // The bytes of a header are Latin-1.
  expect(JSON.parse(stdout)).toMatchObject([{ userAgent: Buffer.from(agent).toString('latin1'), ip: '127.0.0.1' }])
  // What another program wrote into the database.
  const database = new DatabaseSync(join(folder, 'data/guildhall.db'))
  database.prepare('UPDATE guildhall_sessions SET ip = ?').run('192.0.2.7\u009b2J\u001b[2J')
  database.close()
  expect((await run(['sessions', 'list', 'anna'], { folder })).stdout).toContain('192.0.2.7\\u009b2J\\u001b[2J')
})

describe('init', () => {
  test('with flags it asks nothing and writes a file that the server starts from', async () => {
    const folder = newFolder()
    const made = await run(['init', '--yes', '--site-name', 'The Anvil', '--registration', 'closed'], { folder })
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)
    const text = readFileSync(join(folder, '.env'), 'utf8')
    expect(text).toMatch(/SITE_NAME="The Anvil"\n[\s\S]*SECRET=[\w-]{43}\n/)
    const server = await startServer({ folder })
    expect((await post(server, '/api/register', { username: 'anna', password })).status).toBe(403)
  })

  test('somebody who names an address with a port gets a server that listens there, and doctor says where one does not', async () => {
    const folder = newFolder()
    await run(['init', '--yes', '--base-url', 'http://localhost:34571'], { folder })
    expect(readFileSync(join(folder, '.env'), 'utf8')).toContain('BASE_URL=http://localhost:34571\nPORT=34571\n')
    expect((await run(['doctor'], { folder })).stdout).not.toContain('write the port of BASE_URL')
    const elsewhere = await run(['doctor'], { folder, env: { PORT: '34572' } })
    expect(elsewhere.stdout).toContain('but the server listens on port 34572: write the port of BASE_URL as PORT')
  })

  test('it writes over nothing, takes no address that is none, and asks nobody where there is no terminal', async () => {
    const folder = newFolder()
    expect((await run(['init'], { folder })).code).toBe(2)
    expect((await run(['init', '--yes', '--base-url', 'members.example.org'], { folder })).code).toBe(2)
    expect(existsSync(join(folder, '.env'))).toBe(false)
    await run(['init', '--yes'], { folder })
    const before = readFileSync(join(folder, '.env'), 'utf8')
    expect((await run(['init', '--yes'], { folder })).code).toBe(1)
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(before)
  })
})
