// `guildhall copy`, for a site that outgrows its file: once, stopped and run again, refused.
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openPostgresSource } from '../../src/storage/copy/postgres-copy.ts'
import { openSqliteSource } from '../../src/storage/copy/sqlite-copy.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { TABLE_KEYS, UNCOPIED_TABLES } from '../../src/storage/schema.ts'
import { bind } from '../../src/storage/statement.ts'
import { setDisplayName } from '../../src/storage/users.ts'
import { allRows, inDatabase, type Row } from '../support/database-inspector.ts'
import { describeOnPostgres, makeDatabase, onServer, type TestDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis } from '../support/redis.ts'
import { type Finished, newFolder, PRODUCTION, post, run, startServer, type TestServer } from '../support/server.ts'
import { openSite } from '../support/site.ts'

const SECRET = PRODUCTION.SECRET
const password = 'violet harbour lantern'
const DAY_MS = 86_400_000

/** A migrated file with five members, each logged in once: made once, then copied. */
const made = mkdtempSync(join(tmpdir(), 'guildhall-test-'))
const MEMBERS = ['anna', 'Bert', '王小明', "d'Arc", 'e\\"%_🦊']
beforeAll(async () => {
  const file = join(made, 'site.db')
  const db = openDatabase(`sqlite:${file}`)
  await db.migrate()
  await db.close()
  fill(file, MEMBERS)
})
afterAll(() => rmSync(made, { recursive: true, force: true }))

test('the list of tables has every table of data, and says their keys', async () => {
  const rows = await inDatabase({ database: fresh() }, "SELECT name FROM sqlite_schema WHERE type = 'table'")
  const notCopied = new Set<string>(['guildhall_leases', 'guildhall_schema', ...UNCOPIED_TABLES])
  const there = rows.map(({ name }) => String(name)).filter((name) => !notCopied.has(name))
  expect(Object.keys(TABLE_KEYS).toSorted()).toEqual(there.toSorted())
  for (const [table, key] of Object.entries(TABLE_KEYS)) {
    const keys = await inDatabase({ database: fresh() }, `SELECT name FROM pragma_table_info('${table}') WHERE pk = 1`)
    expect([table, keys]).toEqual([table, [expect.objectContaining({ name: key })]])
  }
})

test('every table that knows its user is copied, or left out because what it holds works once', async () => {
  const sql = `SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'user_id' ORDER BY 1`
  const copied = ['guildhall_audit', 'guildhall_credentials', 'guildhall_sessions']
  const found = (await inDatabase({ database: fresh() }, sql)).map(({ name }) => name)
  expect(found).toEqual([...copied, ...UNCOPIED_TABLES].toSorted())
  for (const table of copied) expect(Object.keys(TABLE_KEYS)).toContain(table)
})

test('a target file that others may read is closed to them; one that is refused stays as it is', async () => {
  const [target, taken] = [fresh('empty'), fresh()]
  for (const database of [target, taken]) chmodSync(fileOf(database), 0o644)
  expect((await copied(fresh(), target)).code).toBe(0)
  expect((await copied(fresh(), taken)).code).toBe(1)
  expect([target, taken].map((database) => statSync(fileOf(database)).mode & 0o777)).toEqual([0o600, 0o644])
})

test('a target that is refused stays byte for byte as it is, and nothing is put beside it', async () => {
  const target = fresh()
  const file = fileOf(target)
  await change(target, 'PRAGMA journal_mode = DELETE')
  const unreleased = join(newFolder(), 'old.db')
  for (const table of ['users (username_key, credential_epoch)', 'credentials (changed_at)', 'sessions (public_id, idle_ms)'])
    await change(`sqlite:${unreleased}`, `CREATE TABLE ${table}`)
  for (const one of [file, unreleased]) {
    const before = readFileSync(one)
    expect((await copied(fresh(), `sqlite:${one}`)).code).toBe(1)
    expect(readFileSync(one).equals(before)).toBe(true)
    expect(readdirSync(dirname(one))).toEqual([basename(one)])
  }
})

describeOnPostgres('a copy between databases', () => {
  test('takes along who is logged in: the same cookie is good on the new site', async () => {
    const folder = newFolder()
    const old = await startServer({ folder, env: { SECRET, DATABASE_URL: 'sqlite:./site.db' } })
    const anna = await registered(old, 'anna')
    await old.stop()
    const target = await freshDatabase()
    const copying = await run(['copy', '--from', 'sqlite:./site.db', '--to', withPassword(target.url)], { folder })
    expect([copying.code, copying.stderr]).toEqual([0, ''])
    expect(copying.stdout).toContain('as many rows in every table')
    expect(copying.stdout).not.toContain('geheim')
    const site = await startServer({ env: { SECRET, DATABASE_URL: target.url } })
    expect(await profile(site, anna)).toEqual([200, 'anna'])
    expect((await post(site, '/api/login', { username: 'anna', password })).status).toBe(200)
  })

  test('brings every row of every table, of strange names too, and back, and on', async () => {
    const source = fresh()
    const [one, two] = [await freshDatabase(), await freshDatabase()]
    const back = `sqlite:${join(newFolder(), 'new', 'back.db')}`
    // A database that orders keys as a language does, not as SQLite does.
    const db = openDatabase(one.url)
    await db.migrate()
    await db.close()
    for (const [table, key] of Object.entries(TABLE_KEYS))
      await onServer(`ALTER TABLE ${table} ALTER COLUMN ${key} TYPE text COLLATE "en-x-icu"`, one.url)
    for (const [from, to] of [
      [source, one.url],
      [one.url, back],
      [one.url, two.url],
    ] as const) {
      const { code, stdout, stderr } = await copied(from, to, '--json')
      expect([code, stderr]).toEqual([0, ''])
      const five = { same: true, source: 5, target: 5 }
      const tables = Object.fromEntries(Object.keys(TABLE_KEYS).map((name) => [name, five]))
      expect(JSON.parse(stdout)).toEqual({ from: expect.any(String), to: expect.any(String), complete: true, tables })
      expect(await everything(to)).toEqual(await everything(source))
      for (const table of UNCOPIED_TABLES)
        expect([table, await inDatabase({ database: to }, `SELECT * FROM ${table}`)]).toEqual([table, []])
    }
  })

  test.each([
    ['PostgreSQL', 'guildhall_users: 250 of'],
    ['PostgreSQL', 'guildhall_sessions: 5005 of'],
    ['SQLite', 'guildhall_users: 250 of'],
    ['SQLite', 'guildhall_sessions: 5005 of'],
  ])('to %s, killed with -9 at %s, cannot be served, goes on and ends the same', async (kind, progress) => {
    const source = fresh()
    fill(
      fileOf(source),
      Array.from({ length: 5000 }, (_, n) => `member${n}`),
    )
    const target = kind === 'SQLite' ? `sqlite:${join(newFolder(), 'new.db')}` : (await freshDatabase()).url
    const killed = await run(['copy', '--from', source, '--to', target], { preload: killedAt(progress) })
    expect(killed.signal).toBe('SIGKILL')
    const refused = await run(['user', 'list'], { env: { DATABASE_URL: target } })
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('unfinished copy of')])
    const { code, stderr, stdout } = await copied(source, target, '--json')
    expect([code, stderr]).toEqual([0, ''])
    const all = { same: true, source: 5005, target: 5005 }
    expect(JSON.parse(stdout)).toMatchObject({ complete: true, tables: { guildhall_sessions: all } })
    expect(await everything(target)).toEqual(await everything(source))
    expect((await run(['user', 'list'], { env: { DATABASE_URL: target } })).code).toBe(0)
  })

  test('a site that still runs refuses writes until the copy is done', async () => {
    for (const source of [fresh(), (await copyOnPostgres()).url]) {
      const db = openDatabase(source)
      const database = await (source.startsWith('sqlite:') ? openSqliteSource(fileOf(source)) : openPostgresSource(source))
      const raise = db.transaction([bind(setDisplayName, { id: 'aanna', displayName: 'A' }, { expectRows: 1 })])
      await expect(raise).rejects.toMatchObject({ code: expect.stringMatching(/^store_(busy|unavailable)$/) })
      await database.close()
      await db.transaction([bind(setDisplayName, { id: 'aanna', displayName: 'A' }, { expectRows: 1 })])
      await db.close()
    }
  })

  test('that comes out different says in which table, and cannot be served', async () => {
    const [source, target] = [fresh(), await freshDatabase()]
    const db = openDatabase(target.url)
    await db.migrate()
    await db.close()
    await onServer(
      `CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.display_name = upper(NEW.display_name); RETURN NEW; END';
       CREATE TRIGGER shout BEFORE INSERT ON guildhall_users FOR EACH ROW EXECUTE FUNCTION shout()`,
      target.url,
    )
    const { code, stdout, stderr } = await copied(source, target.url, '--json')
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not the same in guildhall_users: ')])
    const tables = { guildhall_users: { same: false }, guildhall_sessions: { same: true } }
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, tables })
    expect((await run(['user', 'list'], { env: { DATABASE_URL: target.url } })).stderr).toContain('unfinished copy of')
  })

  describe('is refused, and nothing is changed,', () => {
    const to = async (target: string, source: string, ...more: string[]): Promise<string> => {
      const before = await everything(target)
      const { code, stdout, stderr } = await copied(source, target, ...more)
      expect([code, stdout]).toEqual([1, ''])
      expect(await everything(target)).toEqual(before)
      return stderr
    }

    test('where the target has data that no copy brought', async () => {
      const target = await freshDatabase()
      const site = await startServer({ env: { DATABASE_URL: target.url } })
      await registered(site, 'olga')
      await site.stop()
      expect(await to(target.url, fresh())).toMatch(/has data that this copy did not bring\. Name an empty database/)
      const others = fresh('empty')
      fill(fileOf(others), ['otto'])
      expect(await to(fresh(), others)).toContain('has data that this copy did not bring')
      expect(await to(fresh(), target.url)).toContain('has data that this copy did not bring')
    })

    test('where the target is a finished copy of the source, also one that has been used since: it is called that', async () => {
      for (const target of [(await freshDatabase()).url, `sqlite:${join(newFolder(), 'new.db')}`]) {
        const source = fresh()
        expect((await copied(source, target)).code).toBe(0)
        const words = ' is a finished copy of sqlite:'
        expect(await to(target, source)).toContain(words)
        await change(target, "DELETE FROM guildhall_users WHERE username = 'anna'")
        await change(target, 'DELETE FROM guildhall_sessions')
        expect(await to(target, source)).toMatch(/To copy once more, name an empty database; nothing was changed\.\n$/)
        expect(await to(target, source)).toContain(words)
      }
    })

    test('where the target is the unfinished copy of another database', async () => {
      const target = await freshDatabase()
      await copied(fresh('empty'), target.url)
      await change(target.url, "UPDATE guildhall_schema SET copying = 'sqlite:other.db'")
      expect(await to(target.url, fresh())).toContain('is an unfinished copy of sqlite:other.db')
    })

    test('where the target is the source', async () => {
      const [source, target] = [fresh(), await copyOnPostgres()]
      expect(await to(target.url, target.url)).toContain('are the same database, or another copy is at work')
      expect(await to(source, source)).toContain('are the same database, or another copy is at work')
    })

    test('where a database has the schema of another program', async () => {
      const [older, newer, target] = [`sqlite:${join(newFolder(), 'old.db')}`, fresh(), await copyOnPostgres()]
      await change(older, 'CREATE TABLE guildhall_schema (version integer NOT NULL, copying text)')
      await change(newer, 'UPDATE guildhall_schema SET version = 999')
      expect(await to(target.url, older)).toMatch(
        /^sqlite:.*: There is nothing of Guildhall in the database yet: run guildhall migrate/,
      )
      expect(await to(target.url, newer)).toMatch(/^sqlite:.*: The database has schema 999, this program knows/)
      expect(await to(newer, target.url)).toMatch(/^sqlite:.*: The database has schema 999/)
    })

    test('where another program has the file of the target open', async () => {
      const target = fresh('empty')
      const holder = new DatabaseSync(fileOf(target))
      onTestFinished(() => holder.close())
      // As a server does between two requests.
      holder.prepare('SELECT count(*) FROM guildhall_users').get()
      expect(await to(target, fresh())).toContain('is locked by another program')
    })

    test('where PostgreSQL cannot hold a text, which is named', async () => {
      const [source, target] = [fresh(), await freshDatabase()]
      await change(source, "UPDATE guildhall_audit SET user_agent = 'a' || char(0) || 'b' WHERE id = 'audit-anna'")
      const { code, stderr } = await copied(source, target.url)
      expect([code, stderr]).toEqual([1, expect.stringContaining('A row of guildhall_audit has a null character in user_agent')])
      expect(stderr).toContain('audit-anna')
      await change(source, "UPDATE guildhall_audit SET user_agent = 'ab' WHERE id = 'audit-anna'")
      expect((await copied(source, target.url)).code).toBe(0)
    })

    test.each<[string, readonly string[], number, RegExp]>([
      ['without a target', ['--from', 'sqlite:a.db'], 2, /required option '--to <database>' not specified/],
      ['from a file that is not there', ['--from', 'sqlite:a.db', '--to', 'sqlite:b.db'], 1, /a\.db/],
      ['from memory', ['--from', 'sqlite::memory:', '--to', 'sqlite:b.db'], 2, /--from takes sqlite: and the path of a file/],
      ['to another kind of database', ['--from', 'sqlite:a.db', '--to', 'mysql://root:geheim@db/x'], 2, /--to takes sqlite:/],
      [
        'to Redis with a prefix of nonsense',
        ['--from', 'sqlite:a.db', '--to', 'sqlite:b.db', '--redis-prefix', '*'],
        2,
        /1 to 64/,
      ],
      ['with no Redis at hand', ['--from', 'sqlite:a.db', '--to', 'sqlite:b.db', '--redis'], 2, /REDIS_URL/],
    ])('%s', async (_, args, expected, said) => {
      const folder = newFolder()
      const { code, stderr } = await run(['copy', ...args], { folder })
      expect([code, stderr]).toEqual([expected, expect.stringMatching(said)])
      expect(stderr).not.toContain('geheim')
    })

    test('where no server answers, or not to this password; and no password is told', async () => {
      const url = 'postgres://guildhall:geheim@127.0.0.1:1/members'
      for (const [from, target] of [
        [fresh(), url],
        [url, fresh()],
      ] as const) {
        const { code, stderr } = await copied(from, target)
        expect([code, stderr]).toEqual([1, expect.stringMatching(/^postgres:\/\/127\.0\.0\.1:1\/members: .*does not answer/)])
        expect(stderr).not.toContain('geheim')
      }
    })
  })

  describeOnRedis('with its sessions in Redis', () => {
    test('keeps everybody logged in there; who has sessions there already is left alone', async () => {
      const redis = await makeRedis()
      onTestFinished(() => redis.drop())
      const folder = newFolder()
      const source = `sqlite:${join(folder, 'site.db')}`
      const old = await startServer({ folder, env: { SECRET, DATABASE_URL: source } })
      const anna = await registered(old, 'anna')
      await old.stop()
      await change(source, 'UPDATE guildhall_sessions SET data = \'{"b":"2","a":"1","__proto__":"3"}\'')
      const [target, other] = [await freshDatabase(), await freshDatabase()]
      const args = ['--redis', redis.url, '--redis-prefix', redis.prefix]
      const first = await copied(source, target.url, ...args, '--json')
      expect([first.code, first.stderr]).toEqual([0, ''])
      const one = { same: true, source: 1, target: 1 }
      const { tables, ...rest } = JSON.parse(first.stdout)
      expect(rest).toMatchObject({ complete: true, redisSessions: one })
      expect(Object.keys(tables)).not.toContain('guildhall_sessions')
      const [again, beside] = [await freshDatabase(), await makeRedis()]
      onTestFinished(() => beside.drop())
      const shown = await copied(source, again.url, '--redis', beside.url, '--redis-prefix', beside.prefix)
      expect(shown.stdout).toMatch(/^sessions in Redis +1 +1$/m)
      expect(shown.stdout).toContain('as many rows in every table, as many sessions in Redis, and')
      expect(await inDatabase({ database: target.url }, 'SELECT * FROM guildhall_sessions')).toEqual([])

      const taken = await copied(fresh(), other.url, ...args)
      expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('Redis has sessions already')])
      const site = await openSite({ database: target.url, redis: redis.url, redisPrefix: redis.prefix, secret: SECRET })
      onTestFinished(() => site.close())
      expect((await fetch(`${site.base}/api/profile`, { headers: { cookie: anna } })).status).toBe(200)
      // Their index was copied: ending all sessions of a user ends these.
      expect(await site.membership.users.endSessions('anna')).toBe(1)
    })
  })
})

async function freshDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase()
  onTestFinished(() => database.drop())
  return database
}

async function copyOnPostgres(): Promise<TestDatabase> {
  const database = await freshDatabase()
  expect((await copied(fresh(), database.url)).code).toBe(0)
  return database
}

/** A file of this test's own with the five members, or migrated and without any. */
function fresh(members: 'five' | 'empty' = 'five'): string {
  const file = join(newFolder(), 'site.db')
  copyFileSync(join(made, 'site.db'), file)
  const database = new DatabaseSync(file, { timeout: 5000 })
  if (members === 'empty')
    database.exec('DELETE FROM guildhall_users; DELETE FROM guildhall_audit; DELETE FROM guildhall_counters')
  database.close()
  return `sqlite:${file}`
}

function fileOf(database: string): string {
  return database.slice('sqlite:'.length)
}

/** Members with what hangs on them. Ids mix cases and signs, which a language would order otherwise than their bytes. */
function fill(file: string, names: readonly string[]): void {
  const database = new DatabaseSync(file, { timeout: 5000 })
  const now = Date.now()
  const user = database.prepare(
    "INSERT INTO guildhall_users VALUES (?, ?, ?, ?, 'active', 1, '[]', ?, NULL, ?, ?, NULL, NULL, ?)",
  )
  const credential = database.prepare(
    "INSERT INTO guildhall_credentials VALUES (?, ?, 'password', NULL, NULL, 'hash', ?, ?, NULL)",
  )
  const session = database.prepare(
    "INSERT INTO guildhall_sessions VALUES (?, ?, '{}', 0, ?, ?, ?, ?, ?, 1, ?, 1, 'password', ?, '::1', ?)",
  )
  const entry = database.prepare("INSERT INTO guildhall_audit VALUES (?, ?, 'login', 'ok', ?, NULL, NULL, ?, NULL, 0)")
  const counter = database.prepare("INSERT INTO guildhall_counters VALUES (?, '{}', ?)")
  const token = database.prepare(
    "INSERT INTO guildhall_tokens (hash, purpose, user_id, ends_with, created_at, expires_at) VALUES (?, 'reset', ?, 'nothing', 1, ?)",
  )
  const flow = database.prepare(
    "INSERT INTO guildhall_flows (hash, number, purpose, user_id, data, created_at, expires_at) VALUES (?, '1', 'reset', ?, '{}', 1, ?)",
  )
  const mail = database.prepare(
    "INSERT INTO guildhall_mails (id, kind, user_id, data, nonce, key_id, priority, state, due_at, created_at, expires_at) VALUES (?, 'reset', ?, '{}', '', '', 1, 'waiting', 1, 1, ?)",
  )
  const signs = ['a', 'B', '_', '\u{1f98a}', '\uffee', '-', 'é', '0']
  database.exec('BEGIN')
  for (const [n, name] of names.entries()) {
    const id = `${signs[n % signs.length]}${name}`
    user.run(id, name, name.toLowerCase(), `“${name}”\n'; --`, now, `a${n}@B.test`, `a${n}@b.test`, now)
    credential.run(id, id, now, now)
    session.run(`${id}#`, `${id}!`, now, now, DAY_MS, now + DAY_MS, now + DAY_MS, id, now, `Mozilla ${name}`)
    entry.run(`audit-${name}`, now, id, null)
    counter.run(`${id}+`, now + DAY_MS)
    token.run(`${id}$`, id, now + DAY_MS)
    flow.run(`${id}$`, id, now + DAY_MS)
    mail.run(`${id}$`, id, now + DAY_MS)
  }
  database.exec('COMMIT')
  database.close()
}

function copied(from: string, to: string, ...more: readonly string[]): Promise<Finished> {
  return run(['copy', '--from', from, '--to', to, ...more])
}

async function change(database: string, sql: string): Promise<void> {
  await inDatabase({ database }, sql)
}

/** Every row of our tables; nothing if they are not made yet. */
async function everything(database: string): Promise<Readonly<Record<string, readonly Row[]>>> {
  const rows = await allRows({ database })
  return Object.fromEntries(Object.keys(TABLE_KEYS).map((name) => [name, (rows[name] ?? []).map(inOrder)]))
}

/** Columns have another order in a database that was migrated step by step. */
function inOrder(row: Row): Row {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Ends the process at the moment at which it says this of its progress. */
function killedAt(progress: string): string {
  return `process.stderr.isTTY = true
    process.stderr.write = (text) => text.includes('${progress}') && process.kill(process.pid, 'SIGKILL')`
}

async function registered(site: TestServer, username: string): Promise<string> {
  const { status, headers } = await post(site, '/api/register', { username, password })
  expect(status).toBe(201)
  return String(headers['set-cookie']).split(';')[0] ?? ''
}

async function profile(site: TestServer, cookie: string): Promise<readonly [number, string | undefined]> {
  const answer = await fetch(`${site.url}/api/profile`, { headers: { cookie } })
  const { user }: { user?: { username: string } } = JSON.parse(await answer.text())
  return [answer.status, user?.username]
}

function withPassword(url: string): string {
  const known = new URL(url)
  known.password = 'geheim'
  return known.href
}
