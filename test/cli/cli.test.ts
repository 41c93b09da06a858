// The command line as an operator uses it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BIN, newFolder, PRODUCTION, post, run, startServer, writeFiles } from '../support/server.ts'

const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const password = 'violet harbour lantern'

describe('accounts', () => {
  test('an account is made with its password from stdin, and can log in', async () => {
    const folder = newFolder()
    const args = ['user', 'create', 'Anna', '--display-name', 'Anna B', '--role', 'admin', '--role', 'editor', '--password-stdin']
    const made = await run(args, { folder, env: CHEAP, stdin: `${password}\n` })
    expect(made).toMatchObject({
      code: 0,
      stdout: 'Anna can log in now.\n',
      stderr: expect.stringContaining('a new one is made'),
    })
    const listed = await run(['user', 'list', '--json'], { folder })
    expect(JSON.parse(listed.stdout)).toEqual([
      {
        id: expect.any(String),
        username: 'Anna',
        displayName: 'Anna B',
        email: null,
        emailVerified: false,
        roles: ['admin', 'editor'],
        createdAt: expect.stringMatching(/Z$/),
        status: 'active',
      },
    ])
    expect((await run(['user', 'list'], { folder })).stdout).toMatch(
      /^Username .*\nAnna {2,}Anna B {2,}active {2,}admin, editor {2,}\d{4}-\d\d-\d\d\n$/,
    )
    const server = await startServer({ folder, env: { REGISTRATION: 'closed' } })
    expect((await post(server, '/api/login', { username: 'anna', password })).status).toBe(200)
    expect((await post(server, '/api/register', { username: 'otto', password })).status).toBe(403)
  })

  test('while the server runs an account can be made beside it', async () => {
    const server = await startServer()
    expect(
      (await run(['user', 'create', 'anna', '--password-stdin'], { folder: server.folder, env: CHEAP, stdin: password })).code,
    ).toBe(0)
    expect((await post(server, '/api/login', { username: 'anna', password })).status).toBe(200)
  })

  test('what does not fit is told in the words of the site, and nothing is made', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    const create = (name: string, stdin: string, ...more: string[]) =>
      run(['user', 'create', name, '--password-stdin', ...more], { folder, env: CHEAP, stdin })
    expect(await create('a', 'short', '--role', 'NOT A ROLE')).toMatchObject({
      code: 1,
      stderr:
        'Username: Use at least 3 characters.\nPassword: Use at least 8 characters.\nRole: Some characters here are not allowed. Take them out and try again.\n',
    })
    expect(await create('anna', '')).toMatchObject({ code: 1, stderr: expect.stringContaining('no password') })
    expect(await create('anna', 'x'.repeat(100_000))).toMatchObject({ code: 1, stderr: expect.stringContaining('far too long') })
    expect(await create('anna', password)).toMatchObject({ code: 0 })
    expect(await create('ANNA', password)).toMatchObject({
      code: 1,
      stderr: 'Somebody already has this username. Choose another one.\n',
    })
    expect(JSON.parse((await run(['user', 'list', '--json'], { folder })).stdout).length).toBe(1)
  })

  test('a password is never an argument, and is not repeated', async () => {
    const results = [
      await run(['user', 'create', 'anna', '--password', 'canary']),
      await run(['user', 'create', 'anna', '--password=canary']),
      await run(['user', 'create', 'anna', 'canary']),
    ]
    for (const { code, stderr, stdout } of results) {
      expect(code).toBe(2)
      expect(stdout + stderr).not.toContain('canary')
    }
    expect(results[0]?.stderr).toContain('--password-stdin')
  })

  test.skipIf(!existsSync('/usr/bin/script'))('on a terminal it is asked for twice, and shown never', async () => {
    const folder = newFolder()
    const answers = async (...typed: string[]) => {
      const command = `"${process.execPath}" "${BIN}" user create anna`
      const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
        cwd: folder,
        env: { ...CHEAP, PATH: process.env.PATH },
      })
      let shown = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text
        if (/(?:not shown\):|Once more:) $/.test(shown)) child.stdin.write(typed.shift() ?? '')
      })
      const code = await new Promise((resolve) => child.on('close', resolve))
      return { code, shown }
    }
    const slip = await answers(`${password}\r`, 'something else\r')
    expect(slip).toMatchObject({ code: 1, shown: expect.stringContaining('not the same') })
    const stopped = await answers('viol\x03')
    expect(stopped).toMatchObject({ code: 1, shown: expect.stringContaining('Nothing was changed') })
    const done = await answers(`${password}\r`, `${password}\r`)
    expect(done).toMatchObject({ code: 0, shown: expect.stringContaining('anna can log in now.') })
    for (const { shown } of [slip, stopped, done]) expect(shown).not.toMatch(/viol|something/)
  })

  test('without a terminal and without stdin it says how', async () => {
    expect(await run(['user', 'create', 'anna'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--password-stdin') })
  })

  test('B-22: a new database has nobody in it; where there is none, listing makes none', async () => {
    const folder = newFolder()
    expect(await run(['user', 'list'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no database'),
    })
    expect(existsSync(join(folder, 'data/guildhall.db'))).toBe(false)
    expect(await run(['migrate'], { folder })).toMatchObject({ code: 0, stdout: expect.stringContaining('is up to date') })
    expect(statSync(join(folder, 'data/guildhall.db')).mode & 0o777).toBe(0o600)
    expect(await run(['user', 'list', '--json'], { folder })).toMatchObject({ code: 0, stdout: '[]\n' })
  })
})

describe('exit codes', () => {
  test.each<[string[], number]>([
    [['--version'], 0],
    [['--help'], 0],
    [['help', 'serve'], 0],
    [['user', 'create', '--help'], 0],
    [[], 2],
    [['nonsense'], 2],
    [['serve', '--nonsense'], 2],
    [['serve', 'extra'], 2],
    [['user'], 2],
    [['user', 'create'], 2],
  ])('guildhall %j ends with %d', async (args, code) => {
    expect((await run(args)).code).toBe(code)
  })

  test('they stand in the help, and the version is that of the package', async () => {
    expect((await run(['--help'])).stdout).toContain('Exit codes: 0 done, 1 it did not work, 2 wrong usage.')
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect((await run(['--version'])).stdout).toBe(`${version}\n`)
  })
})

describe('X-02: Node', () => {
  const pretend = (version: string) =>
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`

  test.each(['18.20.8', '20.19.4', '22.17.1'])('%s is too old, and one line says so', async (version) => {
    const { code, stdout, stderr } = await run(['--version'], { preload: pretend(version) })
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `Guildhall needs Node 22.18 or newer, this is Node ${version}: \`npm install -D node@24\` gives your project one of its own, which its npm scripts run.\n`,
    ])
  })

  test.each(['22.18.0', '24.0.0', '26.1.0'])('%s is new enough', async (version) => {
    expect((await run(['--version'], { preload: pretend(version) })).code).toBe(0)
  })

  test('an old Node that is really there can read the first file', () => {
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find(
      (path) => existsSync(path) && /^v(?:1[2-9]|20)\./.test(execFileSync(path, ['--version'], { encoding: 'utf8' })),
    )
    if (old === undefined) return
    const { status, stderr } = spawnSync(old, [BIN, 'serve'], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^Guildhall needs Node 22.18 or newer.*\n$/)])
  })
})

describe('doctor', () => {
  const examine = async (options: Parameters<typeof run>[1]) => {
    const { code, stdout, stderr } = await run(['doctor'], options)
    expect(stderr).toBe('')
    const found = (mark: string) =>
      stdout
        .split('\n')
        .filter((line) => line.startsWith(mark))
        .join('\n')
    return { code, stdout, warnings: found('warning'), faults: found('error') }
  }

  test('a site that works has no fault, and looking changes nothing', async () => {
    const server = await startServer()
    expect(await examine({ folder: server.folder })).toMatchObject({ code: 0, faults: '' })
    const empty = newFolder()
    expect(await examine({ folder: empty, env: CHEAP })).toMatchObject({ code: 0, faults: '' })
    expect(existsSync(join(empty, 'data'))).toBe(false)
  })

  test('each wrong setting is told, and a misspelled one', async () => {
    const { code, faults, warnings } = await examine({
      env: { NODE_ENV: 'production', BASEURL: 'https://example.org', PORT: 'x' },
    })
    expect(code).toBe(1)
    for (const name of ['BASE_URL', 'SECRET', 'PORT']) expect(faults).toContain(name)
    expect(warnings).toContain('BASEURL is not a setting: BASE_URL is')
  })

  test('files that others can read are told', async () => {
    const folder = newFolder()
    await run(['user', 'create', 'anna', '--password-stdin'], { folder, env: CHEAP, stdin: password })
    for (const file of ['data/guildhall.db', 'data/secret']) chmodSync(join(folder, file), 0o644)
    chmodSync(join(folder, 'data'), 0o777)
    const { code, faults } = await examine({ folder, env: CHEAP })
    expect(code).toBe(1)
    for (const path of ['guildhall.db', 'secret', 'chmod 700']) expect(faults).toContain(path)
  })

  test('a missing pepper is told with the number of accounts it locks out', async () => {
    const folder = newFolder()
    const withPepper = { ...CHEAP, PASSWORD_PEPPER: 'a-pepper-of-sixteen-bytes' }
    for (const name of ['anna', 'otto'])
      await run(['user', 'create', name, '--password-stdin'], { folder, env: withPepper, stdin: password })
    expect(await examine({ folder, env: withPepper })).toMatchObject({ code: 0 })
    expect((await examine({ folder, env: CHEAP })).faults).toContain('2 accounts cannot log in')
  })

  test('a database that is damaged, or newer, is told', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(folder, 'data/guildhall.db'))
    database.exec('UPDATE guildhall_schema SET version = 999')
    database.close()
    expect(await examine({ folder, env: CHEAP })).toMatchObject({ code: 1, faults: expect.stringContaining('schema 999') })
    writeFiles(folder, { 'data/guildhall.db': 'This is a letter to a friend, not a database. '.repeat(100) })
    expect(await examine({ folder, env: CHEAP })).toMatchObject({
      code: 1,
      faults: expect.stringContaining('no SQLite database'),
    })
  })

  test('a newer database is told once, Redis before there is a database, and an empty one is not called older', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(folder, 'data/guildhall.db'))
    database.exec('UPDATE guildhall_schema SET version = 999')
    database.close()
    const env = { ...CHEAP, REDIS_URL: 'redis://127.0.0.1:1' }
    expect((await examine({ folder, env })).faults.match(/schema 999/g)).toHaveLength(1)
    expect((await examine({ env })).faults).toContain('Redis does not answer')
    const empty = newFolder()
    writeFiles(empty, { 'empty.db': '' })
    chmodSync(join(empty, 'empty.db'), 0o600)
    const found = await examine({ folder: empty, env: { ...CHEAP, DATABASE_URL: 'sqlite:empty.db' } })
    expect(found).toMatchObject({ code: 0, warnings: expect.stringContaining('nothing of Guildhall in the database yet') })
    expect(readFileSync(join(empty, 'empty.db'), 'utf8')).toBe('')
  })

  test('doctor reports a trigger that makes every user an administrator at login', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(folder, 'data/guildhall.db'))
    database.exec(
      `CREATE TRIGGER promote AFTER INSERT ON guildhall_sessions BEGIN UPDATE guildhall_users SET roles = '["admin"]'; END`,
    )
    database.close()
    const { code, faults } = await examine({ folder, env: CHEAP })
    expect([code, faults]).toEqual([1, expect.stringContaining('The database has the trigger promote')])
  })

  test('a proxy that must be there but is not in the settings, and a certificate for somebody else, are told', async () => {
    expect((await examine({ env: PRODUCTION })).warnings).toContain('TRUST_PROXY')
    expect((await examine({ env: { ...PRODUCTION, TRUST_PROXY: '1' } })).warnings).not.toContain('TRUST_PROXY')
    const folder = newFolder()
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '3',
        '-subj',
        '/CN=x',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
      ],
      { cwd: folder, stdio: 'ignore' },
    )
    const tls = { ...CHEAP, TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' }
    expect((await examine({ folder, env: tls })).warnings).toContain('The certificate ends in')
    expect((await examine({ folder, env: { ...tls, BASE_URL: 'https://example.org' } })).faults).toContain(
      'is not for example.org',
    )
  })
})
