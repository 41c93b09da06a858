// What the operator writes, and what the server answers to it before it opens.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { redactDatabaseUrl } from '../../src/domain/database-url.ts'
import { readConfig } from '../../src/server/config.ts'
import { mergeEnvironment } from '../../src/server/env.ts'
import { VARIABLES } from '../../src/server/variable-names.ts'
import { newFolder, PRODUCTION, run, startServer, type Variables, writeFiles } from '../support/server.ts'

function reading(env: Variables, folder = newFolder()) {
  return readConfig(mergeEnvironment(env, folder))
}

const faultsOf = (env: Variables) => reading(env).faults
const faultsIn = (env: Variables, folder: string) => reading(env, folder).faults

describe('X-01, B-22: unsafe settings do not start', () => {
  test('every fault is told at once, by name, and no value is shown', async () => {
    const canary = 'canary-value'
    const env = {
      NODE_ENV: 'production', SECRET: canary, PASSWORD_PEPPER: canary, METRICS_TOKEN: canary, BASE_URL: `http://${canary}/path`,
      PORT: canary, DATABASE_URL: `mysql://u:${canary}@db/x`, RATE_LIMIT: 'off', TRUST_PROXY: canary, TRUSTED_ORIGINS: `*,${canary}`,
      SESSION_IDLE_TIMEOUT: canary, COOKIE_NAME: `${canary};`, REGISTRATION: 'invite', LOG_LEVEL: canary, LOCALE: canary,
      REDIS_URL: canary, TLS_CERT: `/${canary}`, COOKIE_SAME_SITE: 'none', HASH_PASSES: '1', HASH_MEMORY_KIB: '1024',
    } // biome-ignore format: a list of settings reads as a block
    const { code, stdout, stderr } = await run(['serve'], { env })
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).not.toContain(canary)
    const reported = Object.keys(env).filter((name) => name !== 'NODE_ENV')
    for (const name of reported) expect(stderr, name).toContain(name)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test.each<[string, Variables, string]>([
    ['no secret', { SECRET: undefined }, 'SECRET'],
    ['a short secret', { SECRET: 'x'.repeat(31) }, 'SECRET'],
    ['a secret of filler', { SECRET: 'x'.repeat(64) }, 'SECRET'],
    ['a list with one short secret', { SECRET: `${PRODUCTION.SECRET},short` }, 'SECRET'],
    ['no address', { BASE_URL: undefined }, 'BASE_URL'],
    ['an address without TLS', { BASE_URL: 'http://example.org' }, 'BASE_URL'],
    ['a database in memory', { DATABASE_URL: 'sqlite::memory:' }, 'DATABASE_URL'],
    ['no limits', { RATE_LIMIT: 'off' }, 'RATE_LIMIT'],
    ['cheap hashes', { HASH_MEMORY_KIB: '1024' }, 'HASH_MEMORY_KIB'],
  ])('production refuses %s', (_title, env, name) => {
    expect(faultsOf(PRODUCTION)).toEqual([])
    expect(faultsOf({ ...PRODUCTION, ...env }).map((fault) => fault.split(/[ :]/)[0])).toEqual([name])
  })

  test('D-10: plain HTTP in production is a decision that somebody wrote down', () => {
    expect(faultsOf({ ...PRODUCTION, BASE_URL: 'http://example.org', INSECURE_HTTP: 'on' })).toEqual([])
  })

  test.each<[Variables, string]>([
    [{ HOST: '0.0.0.0' }, 'BASE_URL'],
    [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '0.0.0.0/0' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY'],
    [{ TRUSTED_ORIGINS: '*' }, 'TRUSTED_ORIGINS'],
    [{ TRUSTED_ORIGINS: 'https://a.example/' }, 'TRUSTED_ORIGINS'],
    [{ BASE_URL: 'https://user@example.org' }, 'BASE_URL'],
    [{ BASE_URL: 'example.org' }, 'BASE_URL'],
    [{ SESSION_IDLE_TIMEOUT: '13h' }, 'SESSION_IDLE_TIMEOUT'],
    [{ REMEMBER_ABSOLUTE_TIMEOUT: '401d' }, 'REMEMBER_ABSOLUTE_TIMEOUT'],
    [{ PASSWORD_MIN_LENGTH: '7' }, 'PASSWORD_MIN_LENGTH'],
    [{ COOKIE_NAME: '__Host-x' }, 'COOKIE_NAME'],
    [{ EMAIL: 'always' }, 'EMAIL'],
    [{ REGISTRATION: 'approval' }, 'REGISTRATION=approval'],
    [{ STRICT_ORIGIN: 'maybe' }, 'STRICT_ORIGIN'],
    [{ DATABASE_URL: 'sqlite://x' }, 'DATABASE_URL'],
    [{ PASSWORD_PEPPER: 'short' }, 'PASSWORD_PEPPER'],
  ])('%j is a fault anywhere', (env, name) => {
    expect(faultsOf(env).map((fault) => fault.split(/[ :]/)[0])).toEqual([name])
  })
})

test('nothing set is a fine development server', () => {
  const { config, faults, warnings } = reading({})
  expect([faults, warnings]).toEqual([[], []])
  expect(config).toMatchObject({
    production: false,
    port: 3000,
    host: '127.0.0.1',
    database: 'sqlite:./data/guildhall.db',
    secrets: [],
  })
})

test.each([
  ['postgres://guildhall:hidden@db.example.org:6432/members?sslmode=verify-full', 'postgres://db.example.org:6432/members'],
  ['postgresql://guildhall:hidden@/members?host=/var/run/postgresql', 'postgres://localhost/members'],
  ['postgres:///members?host=/var/run/postgresql&password=hidden', 'postgres:///members'],
])('%s is a database, and is shown without what nobody may see', (database, shown) => {
  const { config, faults } = reading({ DATABASE_URL: database })
  expect([faults, config?.database, config?.databaseFile]).toEqual([[], database, undefined])
  expect(redactDatabaseUrl(database)).toBe(shown)
})

test('nobody in front is what TRUST_PROXY=0 says', () => {
  const { config } = readConfig(mergeEnvironment({ ...PRODUCTION, TRUST_PROXY: '0' }, newFolder()))
  expect(config?.trustProxy).toBeUndefined()
})

test('settings reach the membership', () => {
  const { config } = reading({
    ...PRODUCTION, SITE_NAME: 'Harbour', TRUST_PROXY: '2', SESSION_IDLE_TIMEOUT: '5m', COOKIE_SAME_SITE: 'lax', PASSWORD_HASH: 'bcrypt',
    TRUSTED_ORIGINS: 'https://a.example, https://b.example', STRICT_ORIGIN: 'on', REGISTRATION: 'closed', HASH_QUEUE: '9',
  }) // biome-ignore format: a list of settings reads as a block
  expect(config).toMatchObject({ production: true, baseUrl: 'https://example.org', trustProxy: 2 })
  expect(config?.membership).toMatchObject({
    production: true, siteName: 'Harbour', strictOrigin: true, registration: 'closed', session: { idleTimeout: '5m' },
    cookie: { sameSite: 'lax' }, passwords: { hash: 'bcrypt', queueLimit: 9 }, trustedOrigins: ['https://a.example', 'https://b.example'],
  }) // biome-ignore format: a list of settings reads as a block
})

test('a secret in the settings does not print itself', () => {
  expect(JSON.stringify(reading(PRODUCTION).config)).not.toContain(PRODUCTION.SECRET)
})

describe('where a setting comes from', () => {
  test('X-06 the environment wins over .env, and a file can hold the value', () => {
    const folder = newFolder()
    writeFiles(folder, {
      '.env': 'SITE_NAME=From the file\nPORT=4000\nSECRET_FILE=secret.txt\n',
      'secret.txt': `${PRODUCTION.SECRET}\n`,
    })
    const { values, sources } = mergeEnvironment({ PORT: '5000', SITE_NAME: '' }, folder)
    expect(Object.fromEntries(values)).toEqual({ SITE_NAME: 'From the file', PORT: '5000', SECRET: PRODUCTION.SECRET })
    expect(sources.get('SECRET')).toEqual({ file: 'SECRET_FILE' })
  })

  test.each<[string, (text: string) => Buffer]>([
    ['a byte order mark', (text) => Buffer.from(`\ufeff${text}`, 'utf8')],
    ['UTF-16, little end first', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first', (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('somebody whose editor writes .env with %s has every setting of it', (_, encode) => {
    const folder = newFolder()
    writeFileSync(join(folder, '.env'), encode('NODE_ENV=production\r\nSITE_NAME=社團\r\nSECRET_FILE=secret.txt\r\n'))
    writeFileSync(join(folder, 'secret.txt'), encode(`${PRODUCTION.SECRET}\r\n`))
    const { values, faults } = mergeEnvironment({}, folder)
    expect(faults).toEqual([])
    expect(Object.fromEntries(values)).toEqual({ NODE_ENV: 'production', SITE_NAME: '社團', SECRET: PRODUCTION.SECRET })
  })

  test.each<[string, Buffer]>([
    ['Big5', Buffer.from([0x53, 0x3d, 0xaa, 0xc0, 0xb9, 0xce])],
    ['UTF-16 without a mark', Buffer.from('NODE_ENV=production', 'utf16le')],
  ])('a .env or a file of a value in %s is a fault, not a site without its settings', (_, bytes) => {
    const folder = newFolder()
    writeFileSync(join(folder, '.env'), bytes)
    expect(faultsIn({}, folder)).toContain('.env is not written in UTF-8: save it anew as that')
    rmSync(join(folder, '.env'))
    writeFileSync(join(folder, 'name.txt'), bytes)
    expect(faultsIn({ SITE_NAME_FILE: 'name.txt' }, folder)).toEqual([
      expect.stringContaining('SITE_NAME_FILE names a file that is not written in UTF-8'),
    ])
  })

  test('a value and its file at once, or a file that is not there, is a fault', () => {
    expect(faultsOf({ SECRET: PRODUCTION.SECRET, SECRET_FILE: '/x' })[0]).toContain('SECRET_FILE')
    expect(faultsOf({ SECRET_FILE: '/nowhere/at/all' })).toEqual([expect.stringContaining('SECRET_FILE')])
  })

  test.each([
    ['BASEURL', 'BASE_URL'],
    ['GUILDHALL_SECRET', 'SECRET'],
    ['host', undefined],
    ['GUILDHALL_BASE_URL', 'BASE_URL'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['TRUSTED_ORIGIN', 'TRUSTED_ORIGINS'],
    ['base_url', 'BASE_URL'],
    ['HOSTNAME', undefined],
    ['HOME', undefined],
    ['LANG', undefined],
  ])('%s is %s, misspelled', (name, meant) => {
    const { warnings } = reading({ [name]: 'x' })
    expect(warnings).toEqual(meant === undefined ? [] : [`${name} is not a setting: ${meant} is`])
  })

  test('a name in .env that is none of ours is told', () => {
    const folder = newFolder()
    writeFiles(folder, { '.env': 'COLOUR=red\n' })
    expect(reading({}, folder).warnings).toEqual(['COLOUR in .env is none of our settings'])
  })

  test('.env.example names every setting, and sets none', () => {
    const text = readFileSync('.env.example', 'utf8')
    for (const name of VARIABLES) expect(text, name).toMatch(new RegExp(`^# ${name}=`, 'm'))
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
  })
})

describe('X-08: what is kept belongs to one user', () => {
  test('under umask 000 the folder is 0700, database and secret are 0600', async () => {
    const server = await startServer({ umask: 0 })
    const mode = (path: string) => (statSync(join(server.folder, path)).mode & 0o777).toString(8)
    expect(mode('data')).toBe('700')
    for (const file of ['guildhall.db', 'guildhall.db-wal', 'guildhall.db-shm', 'secret'])
      expect(mode(`data/${file}`), file).toBe('600')
  })

  test('the secret of development is made once, beside the database', async () => {
    const first = await startServer({ env: { DATABASE_URL: 'sqlite:./elsewhere/members.db' } })
    const path = join(first.folder, 'elsewhere/secret')
    const secret = readFileSync(path, 'utf8')
    await first.stop()
    await startServer({ env: { DATABASE_URL: 'sqlite:./elsewhere/members.db' }, folder: first.folder })
    expect(readFileSync(path, 'utf8')).toBe(secret)
    expect(secret.trim().length).toBeGreaterThanOrEqual(32)
    expect(existsSync(join(first.folder, 'data'))).toBe(false)
  })
})

describe('a start that fails says what to do, in one line', () => {
  test('the port is taken', async () => {
    const { port } = await startServer()
    const { code, stderr } = await run(['serve'], { env: { PORT: String(port) } })
    expect([code, stderr]).toEqual([1, `Port ${port} is taken: stop the other program, or write another PORT.\n`])
  })

  test('the folder of the database is a file', async () => {
    const folder = newFolder()
    writeFiles(folder, { data: 'not a folder' })
    const { code, stderr } = await run(['serve'], { folder, env: { PORT: '0' } })
    expect([code, stderr.split('\n').length]).toEqual([1, 2])
    expect(stderr).toContain('DATABASE_URL')
  })

  test.runIf(process.platform === 'linux')('F-08 the folder of the database cannot be made or written', async () => {
    const { code, stderr } = await run(['serve'], { env: { DATABASE_URL: 'sqlite:/sys/members/members.db', PORT: '0' } })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^\/sys\/members cannot be written: .*DATABASE_URL\.\n$/)])
  })

  test('F-09 the database is no database', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'data'))
    writeFiles(folder, { 'data/guildhall.db': 'This is a letter to a friend, not a database. '.repeat(100) })
    const { code, stderr } = await run(['serve'], { folder, env: { PORT: '0' } })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^data\/guildhall.db is no SQLite database.*\n$|^\.\/data\/guildhall.db is no SQLite database.*\n$/),
    ])
  })

  test('the database is newer than the program', async () => {
    const folder = newFolder()
    await run(['migrate'], { folder })
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(folder, 'data/guildhall.db'))
    database.exec('UPDATE guildhall_schema SET version = 999')
    database.close()
    const { code, stderr } = await run(['serve'], { folder, env: { PORT: '0' } })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^The database has schema 999.*\n$/)])
  })
})
