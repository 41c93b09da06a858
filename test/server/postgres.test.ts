// The server and the command line on PostgreSQL: what works, and what an operator reads if it does not.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openPostgres } from '../../src/storage/postgres/database.ts'
import { describeOnPostgres, makeDatabase, onServer, type TestDatabase } from '../support/postgres.ts'
import { freePort } from '../support/program.ts'
import { ask, countLines, post, run, startServer, type Variables } from '../support/server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'violet harbour lantern'
const CHEAP = { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
const ROLE_PASSWORD = 'a-password-that-nobody-may-see'

async function freshDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase()
  onTestFinished(() => database.drop())
  return database
}

describeOnPostgres('on PostgreSQL', () => {
  let migrated: TestDatabase
  const env = (): Variables => ({ DATABASE_URL: migrated.url, ...CHEAP })

  beforeAll(async () => {
    migrated = await makeDatabase()
    const db = openPostgres(migrated.url)
    await db.migrate()
    await db.close()
  })
  afterAll(() => migrated.drop())

  test('a site starts on an empty database: people register, log in and are known; the secret is in ./data', async () => {
    const database = await freshDatabase()
    const server = await startServer({ env: { DATABASE_URL: database.url } })
    expect((await post(server, '/api/register', { username: 'anna', password: PASSWORD })).status).toBe(201)
    const login = await post(server, '/api/login', { username: 'anna', password: PASSWORD })
    const cookie = String(login.headers['set-cookie']).split(';')[0] ?? ''
    expect((await fetch(`${server.url}/api/profile`, { headers: { cookie } })).status).toBe(200)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect(readFileSync(join(server.folder, 'data/secret'), 'utf8').length).toBeGreaterThan(32)
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('migrate tells where, and never the password', async () => {
    const url = new URL(migrated.url)
    url.password = ROLE_PASSWORD
    for (const args of [['migrate'], ['migrate', '--json']]) {
      const { code, stdout, stderr } = await run(args, { env: { DATABASE_URL: url.href } })
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain(`${url.host}${url.pathname}`)
      expect(stdout).not.toContain(ROLE_PASSWORD)
    }
  })

  test('a machine that takes its time to load the pg package is not told that PostgreSQL does not answer', async () => {
    const { code, stderr } = await run(['migrate'], { env: env(), preload: SLOW_PG })
    expect([code, stderr]).toEqual([0, ''])
  })

  test('accounts are made, listed and examined at the command line', async () => {
    const made = await run(['user', 'create', 'bert', '--password-stdin'], { env: env(), stdin: PASSWORD })
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect((await run(['user', 'list'], { env: env() })).stdout).toContain('bert')
    const { code, stdout } = await run(['doctor', '--json'], { env: env() })
    expect(JSON.parse(stdout)).toMatchObject({ well: true })
    expect(code).toBe(0)
    const many = await run(['doctor'], { env: { ...env(), WORKERS: '64' } })
    expect([many.code, many.stdout]).toEqual([
      0,
      expect.stringMatching(/^warning\s+The workers open up to 640 connections, .*max_connections/m),
    ])
    const backup = await run(['backup', 'copy.db'], { env: env() })
    expect([backup.code, backup.stderr]).toEqual([1, expect.stringContaining('pg_dump')])
  })

  test('doctor finds what others hung on our tables, and nothing else', async () => {
    const database = await freshDatabase()
    const options = { env: { DATABASE_URL: database.url, ...CHEAP } }
    await run(['migrate'], options)
    await onServer('CREATE TABLE notes (text text DEFAULT now()::text); CREATE VIEW latest AS SELECT * FROM notes', database.url)
    expect(await run(['doctor'], options)).toMatchObject({ code: 0 })
    await onServer(
      `CREATE FUNCTION promote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE guildhall_users SET roles = '["admin"]'; RETURN new; END $$;
       CREATE TRIGGER promote AFTER INSERT ON guildhall_sessions FOR EACH ROW EXECUTE FUNCTION promote();
       ALTER TABLE guildhall_users ALTER COLUMN roles SET DEFAULT '["admin"]'`,
      database.url,
    )
    const { code, stdout } = await run(['doctor'], options)
    const named = 'a default of guildhall_users.roles, the trigger promote of guildhall_sessions'
    expect([code, stdout]).toEqual([1, expect.stringContaining(named)])
  })

  test('a liveness probe that asks during a migration ends no process; readiness says when people may come', async () => {
    const database = await freshDatabase()
    await onServer('CREATE TABLE guildhall_schema (version integer NOT NULL, copying text)', database.url)
    const holder = new pg.Client({ connectionString: database.url })
    await holder.connect()
    onTestFinished(() => holder.end())
    await holder.query('BEGIN; LOCK TABLE guildhall_schema IN SHARE MODE')
    const port = await freePort()
    const opening = startServer({ env: { PORT: String(port), DATABASE_URL: database.url } })
    const statusOf = async (path: string) => (await ask(path, { port }).catch(() => undefined))?.status
    await until(async () => (await statusOf('/readyz')) === 503)
    expect([await statusOf('/healthz'), await statusOf('/readyz'), await statusOf('/login')]).toEqual([200, 503, 503])
    await holder.query('COMMIT')
    await opening
    expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 200])
  })

  test('a command that is given an empty database says that it is not migrated, and changes nothing', async () => {
    const database = await freshDatabase()
    const env = { DATABASE_URL: database.url, ...CHEAP }
    const { code, stderr } = await run(['user', 'list'], { env })
    expect([code, stderr]).toEqual([1, expect.stringContaining('guildhall migrate')])
    // The first start makes it: nothing that keeps the site from working.
    const examined = await run(['doctor'], { env })
    expect([examined.code, examined.stdout]).toEqual([0, expect.stringContaining('nothing of Guildhall in the database yet')])
  })

  test('no server, another password, another database, a missing package: one line, exit code 1', async () => {
    const nobody = `postgres://guildhall:${ROLE_PASSWORD}@127.0.0.1:${await freePort()}/members`
    const stranger = new URL(migrated.url)
    stranger.username = `nobody_${Date.now()}`
    stranger.password = ROLE_PASSWORD
    const elsewhere = new URL(migrated.url)
    elsewhere.pathname = '/there_is_no_such_database'
    const withoutPg =
      "import { registerHooks } from 'node:module'; registerHooks({ resolve(name, context, next) { if (name === 'pg') throw Object.assign(new Error('no pg'), { code: 'ERR_MODULE_NOT_FOUND' }); return next(name, context) } })"
    const cases = [
      { url: nobody, words: 'ECONNREFUSED', preload: undefined },
      { url: stranger.href, words: stranger.username, preload: undefined },
      { url: elsewhere.href, words: 'there_is_no_such_database', preload: undefined },
      { url: migrated.url, words: 'npm install pg', preload: withoutPg },
    ]
    for (const { url, words, preload } of cases)
      for (const command of ['serve', 'migrate', 'user list']) {
        const options = { env: { DATABASE_URL: url, PORT: '0' }, ...(preload !== undefined && { preload }) }
        const { code, stderr, stdout } = await run(command.split(' '), options)
        expect([command, code, stderr]).toEqual([
          command,
          1,
          expect.stringMatching(/^(?:The database|PostgreSQL (?:needs|has no))/),
        ])
        expect(stderr.trimEnd().split('\n')).toHaveLength(1)
        expect(stderr).toContain(words)
        expect(stderr + stdout).not.toContain(ROLE_PASSWORD)
      }
  }, 60_000)

  test('a connection string that is none is a fault of the settings', async () => {
    const { code, stderr } = await run(['serve'], { env: { DATABASE_URL: `postgres://u:${ROLE_PASSWORD}@host:port/x` } })
    expect([code, stderr]).toEqual([1, expect.stringContaining('DATABASE_URL')])
    expect(stderr).not.toContain(ROLE_PASSWORD)
  })

  test('F-10 readiness follows the store; everything says 503 with Retry-After meanwhile', async () => {
    const proxy = await TcpProxy.before(migrated.url)
    onTestFinished(() => proxy.close())
    const server = await startServer({ env: { DATABASE_URL: proxy.urlOf(migrated.url) } })
    const cookie = `guildhall=${'x'.repeat(43)}`
    const status = async (path: string) => (await fetch(server.url + path, { headers: { cookie } })).status
    expect(await status('/readyz')).toBe(200)
    proxy.stall()
    expect([await status('/readyz'), await status('/healthz')]).toEqual([503, 200])
    for (const path of ['/', '/profile', '/api/profile', '/nowhere']) {
      const answer = await fetch(server.url + path, { headers: { cookie } })
      expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([path, 503, '1'])
    }
    await proxy.restore()
    await until(async () => (await status('/readyz')) === 200)
  })

  test('F-40 a server whose store hangs still stops in time', async () => {
    const proxy = await TcpProxy.before(migrated.url)
    onTestFinished(() => proxy.close())
    const server = await startServer({ env: { DATABASE_URL: proxy.urlOf(migrated.url) } })
    proxy.stall()
    const asked = post(server, '/api/login', { username: 'anna', password: PASSWORD }).catch(() => undefined)
    await until(() => proxy.heldBytes > 0)
    const { code } = await server.stop()
    expect((await asked)?.status).toBe(503)
    expect(code).toBe(0)
    // One that is ended by force after ten seconds does not say so.
    expect(countLines(server, 'stopped')).toBe(1)
  })

  test('X-07 one role migrates, another serves and may not change the schema', async () => {
    const database = await freshDatabase()
    const role = `guildhall_test_${Date.now()}`
    await onServer(`CREATE ROLE ${role} LOGIN PASSWORD '${ROLE_PASSWORD}'`, database.url)
    onTestFinished(() => onServer(`DROP OWNED BY ${role}; DROP ROLE ${role}`, database.url))
    await onServer(`REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO ${role}`, database.url)
    const serving = new URL(database.url)
    serving.username = role
    serving.password = ROLE_PASSWORD
    const early = await run(['serve'], { env: { DATABASE_URL: serving.href, PORT: '0' } })
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/^.*guildhall migrate.*\n$/)])
    expect((await run(['migrate'], { env: { DATABASE_URL: database.url } })).code).toBe(0)
    await onServer(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`, database.url)
    const server = await startServer({ env: { DATABASE_URL: serving.href } })
    expect((await post(server, '/api/register', { username: 'anna', password: PASSWORD })).status).toBe(201)
    expect((await run(['migrate'], { env: { DATABASE_URL: serving.href } })).code).toBe(0)
  })
})

const SLOW_PG = `import { registerHooks } from 'node:module'
registerHooks({ resolve(name, context, next) {
  if (name === 'pg-pool') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
  return next(name, context)
} })`
