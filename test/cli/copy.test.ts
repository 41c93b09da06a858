// `guildhall copy`, as somebody uses it who moves a living site: again and again, killed, refused, and at last with everybody still logged in.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/storage/open.ts'
import { TABLE_KEYS } from '../../src/storage/schema.ts'
import { allRows, inDatabase, type Row } from '../support/database-inspector.ts'
import { describeOnPostgres, makeDatabase, onServer, type TestDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis, type TestRedis } from '../support/redis.ts'
import { BIN, type Finished, newFolder, PRODUCTION, post, run, startServer, type TestServer } from '../support/server.ts'
import { openSite } from '../support/site.ts'

const SECRET = PRODUCTION.SECRET
const password = 'violet harbour lantern'
const DAY_MS = 86_400_000

/** A migrated file with five accounts, each logged in once: made once, then copied. */
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

test('the list of tables has every table of the schema, and says their keys', async () => {
  const rows = await inDatabase({ database: fresh() }, "SELECT name FROM sqlite_schema WHERE type = 'table'")
  const there = rows.map(({ name }) => String(name)).filter((name) => name !== 'guildhall_leases')
  expect(Object.keys(TABLE_KEYS).toSorted()).toEqual(there.toSorted())
  for (const [table, key] of Object.entries(TABLE_KEYS)) {
    const keys = await inDatabase({ database: fresh() }, `SELECT name FROM pragma_table_info('${table}') WHERE pk = 1`)
    expect([table, keys]).toEqual([table, [expect.objectContaining({ name: key })]])
  }
})

describeOnPostgres('a copy between databases', () => {
  test('takes along who is logged in: the same cookie is good on the new site, while the old one runs', async () => {
    const folder = newFolder()
    const old = await startServer({ folder, env: { SECRET, DATABASE_URL: 'sqlite:./site.db' } })
    const anna = await registered(old, 'anna')
    const target = await freshDatabase()
    const { code, stdout, stderr } = await run(['copy', '--from', 'sqlite:./site.db', '--to', withPassword(target.url)], {
      folder,
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('every row was compared')
    expect(stdout).not.toContain('geheim')
    const site = await startServer({ env: { SECRET, DATABASE_URL: target.url } })
    expect(await profile(site, anna)).toEqual([200, 'anna'])
    expect((await post(site, '/api/login', { username: 'anna', password })).status).toBe(200)
  })

  test('brings every row of every table, of strange names too, and back, and on; run again, it writes nothing', async () => {
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
      const five = { same: true, source: 5, target: 5, added: 5, removed: 0 }
      const tables = { users: five, credentials: five, sessions: five, audit: five, counters: five }
      expect(JSON.parse(stdout)).toEqual({ from: expect.any(String), to: expect.any(String), complete: true, tables })
      expect(await everything(to)).toEqual(await everything(source))
    }
    const names = (await inDatabase({ database: back }, 'SELECT username FROM guildhall_users')).map(({ username }) =>
      String(username),
    )
    expect(names.toSorted()).toEqual(MEMBERS.toSorted())
  })

  test('takes out the one row that is gone and no other, wherever it stands in the order of keys', async () => {
    for (const [n, name] of MEMBERS.entries()) {
      const [source, target] = [fresh(), `sqlite:${join(newFolder(), 'new.db')}`]
      expect((await copied(source, target)).code).toBe(0)
      await change(
        source,
        `DELETE FROM guildhall_counters WHERE key IN (SELECT key FROM guildhall_counters ORDER BY key LIMIT 1 OFFSET ${n})`,
      )
      const { tables } = JSON.parse((await copied(source, target, '--json')).stdout)
      expect([name, tables.counters]).toEqual([name, { same: true, source: 4, target: 4, added: 0, removed: 1 }])
    }
  })

  test('run again, brings what changed and takes out what is gone: a logout, a deleted account, exchanged names', async () => {
    const folder = newFolder()
    const source = `sqlite:${join(folder, 'site.db')}`
    const old = await startServer({ folder, env: { SECRET, DATABASE_URL: source } })
    const [anna, bert, cleo] = [await registered(old, 'anna'), await registered(old, 'bert'), await registered(old, 'cleo')]
    const target = await freshDatabase()
    expect(await copied(source, target.url)).toMatchObject({ code: 0, stderr: '' })
    await change(source, "UPDATE guildhall_users SET username = 'x', username_key = 'x' WHERE username = 'anna'")
    await change(source, "UPDATE guildhall_users SET username = 'anna', username_key = 'anna' WHERE username = 'bert'")
    await change(source, "UPDATE guildhall_users SET username = 'bert', username_key = 'bert' WHERE username = 'x'")
    await change(source, "DELETE FROM guildhall_users WHERE username = 'cleo'")
    expect((await post(old, '/api/logout', {}, { cookie: bert })).status).toBe(204)
    const dora = await registered(old, 'dora')
    await old.stop()
    expect(await copied(source, target.url)).toMatchObject({ code: 0, stderr: '' })
    expect(await everything(target.url)).toEqual(await everything(source))
    const site = await startServer({ env: { SECRET, DATABASE_URL: target.url } })
    expect(await profile(site, anna)).toEqual([200, 'bert'])
    expect(await profile(site, dora)).toEqual([200, 'dora'])
    for (const gone of [bert, cleo]) expect((await profile(site, gone))[0]).toBe(401)
  })

  test.each(['PostgreSQL', 'SQLite'])(
    'to %s, killed with -9 wherever it is, goes on and ends the same: nothing twice, nothing lost',
    async (kind) => {
      const source = fresh()
      const members = Array.from({ length: 3000 }, (_, n) => `member${n}`)
      fill(fileOf(source), members)
      const target = kind === 'SQLite' ? `sqlite:${join(newFolder(), 'new.db')}` : (await freshDatabase()).url
      // It begins with nothing and is killed later each time; the rows that are there by then stay.
      const seen: number[] = []
      for (let ms = 20; seen.length < 5 || seen.every((rows) => rows === 0); ms = ms * 1.2 + 60 * Math.random()) {
        expect(ms).toBeLessThan(20_000)
        await killed(['copy', '--from', source, '--to', target], target, ms)
        seen.push(await rowsIn(target))
      }
      expect(seen.some((rows) => rows > 0)).toBe(true)
      expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
      const { code, stderr, stdout } = await copied(source, target, '--json')
      expect([code, stderr]).toEqual([0, ''])
      expect(JSON.parse(stdout)).toMatchObject({ complete: true, tables: { sessions: { source: 3005, target: 3005 } } })
      expect(await everything(target)).toEqual(await everything(source))
    },
  )

  test('is the source as it was at one moment, whatever people do meanwhile', async () => {
    const folder = newFolder()
    const source = `sqlite:${join(folder, 'site.db')}`
    const old = await startServer({ folder, env: { DATABASE_URL: source, RATE_LIMIT: 'off' } })
    fill(
      join(folder, 'site.db'),
      Array.from({ length: 3000 }, (_, n) => `member${n}`),
    )
    const target = await freshDatabase()
    const copying = copied(source, target.url)
    let isDone = false
    void copying.then(() => (isDone = true))
    for (let n = 0; !isDone; n++) {
      const cookie = await registered(old, `late${n}`)
      await post(old, '/api/logout', {}, { cookie })
    }
    // Rows that hang on others were never without them, or PostgreSQL had refused them.
    expect(await copying).toMatchObject({ code: 0, stderr: '' })
    await old.stop()
    expect(await copied(source, target.url)).toMatchObject({ code: 0, stderr: '' })
    expect(await everything(target.url)).toEqual(await everything(source))
  })

  test('that comes out different is told with the table, and its exit code is 1', async () => {
    const [source, target] = [fresh(), await freshDatabase()]
    await copied(source, target.url)
    await onServer(
      `CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.display_name = upper(NEW.display_name); RETURN NEW; END';
       CREATE TRIGGER shout BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout()`,
      target.url,
    )
    await change(source, "UPDATE guildhall_users SET display_name = 'anna the second' WHERE username = 'anna'")
    const { code, stdout, stderr } = await copied(source, target.url, '--json')
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not the same in users: ')])
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, tables: { users: { same: false }, sessions: { same: true } } })
    await onServer('DROP TRIGGER shout ON users', target.url)
    expect((await copied(source, target.url)).code).toBe(0)
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
      expect(await to(target.url, fresh(), '--yes')).toMatch(/has data that no copy brought there\. Name an empty database/)
      expect(await to(fresh(), fresh(), '--yes')).toContain('has data that no copy brought there')
      expect(await to(fresh(), target.url)).toContain('has data that no copy brought there')
    })

    test('where the target is the copy of another database', async () => {
      const [source, target] = [fresh(), await freshDatabase()]
      await copied(source, target.url)
      expect(await to(target.url, fresh(), '--yes')).toContain(`is a copy of ${source}, not of `)
    })

    test('where the target is the source', async () => {
      const [source, target] = [fresh(), await freshDatabase()]
      await copied(source, target.url)
      expect(await to(target.url, target.url)).toContain('are the same database, or another copy is at work')
      expect(await to(source, source)).toContain('are the same database, or another copy is at work')
    })

    test('where a database has the schema of another program', async () => {
      const [older, newer, target] = [fresh(), fresh(), await freshDatabase()]
      await change(older, 'UPDATE guildhall_schema SET version = 0')
      await change(newer, 'UPDATE guildhall_schema SET version = 999')
      expect(await to(target.url, older)).toMatch(/^sqlite:.*: The database is older than this program: run guildhall migrate/)
      expect(await to(target.url, newer)).toMatch(/^sqlite:.*: The database has schema 999, this program knows/)
      expect(await to(newer, target.url)).toMatch(/^postgres:.*: The database is older/)
      expect(await to(older, fresh())).toMatch(/: The database is older/)
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
      expect([code, stderr]).toEqual([1, expect.stringContaining('A row of audit has a null character in user_agent')])
      expect(stderr).toContain('audit-anna')
      await change(source, "UPDATE guildhall_audit SET user_agent = 'ab' WHERE id = 'audit-anna'")
      expect((await copied(source, target.url)).code).toBe(0)
    })

    test.each<[string, readonly string[], number, RegExp]>([
      ['without a target', ['--from', 'sqlite:a.db'], 2, /needs the option --to <database>/],
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

  test('to a place that was used since asks first; --yes makes it the copy again', async () => {
    const [source, target] = [fresh(), await freshDatabase()]
    await copied(source, target.url)
    await change(target.url, "UPDATE guildhall_users SET display_name = 'Somebody' WHERE username = 'anna'")
    const asked = await copied(source, target.url)
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')])
    expect((await copied(source, target.url, '--yes')).code).toBe(0)
    // A site that swept has been open there, also when the copy before was killed.
    await change(target.url, "INSERT INTO guildhall_leases (name, holder, until) VALUES ('sessions', 'site', 1)")
    expect((await copied(source, target.url)).code).toBe(2)
    expect((await copied(source, target.url, '--yes')).code).toBe(0)
    expect((await copied(source, target.url)).code).toBe(0)
  })

  describeOnRedis('with its sessions in Redis', () => {
    test('keeps everybody logged in there; run again, a logout holds there too', async () => {
      const redis = await borrowedRedis()
      const folder = newFolder()
      const source = `sqlite:${join(folder, 'site.db')}`
      const old = await startServer({ folder, env: { SECRET, DATABASE_URL: source } })
      const [anna, bert] = [await registered(old, 'anna'), await registered(old, 'bert')]
      await change(source, 'UPDATE guildhall_sessions SET data = \'{"b":"2","a":"1","__proto__":"3"}\'')
      const target = await freshDatabase()
      const args = ['--redis', redis.url, '--redis-prefix', redis.prefix]
      const first = await copied(source, target.url, ...args, '--json')
      expect([first.code, first.stderr]).toEqual([0, ''])
      expect(JSON.parse(first.stdout)).toMatchObject({
        complete: true,
        tables: { sessions: { same: true, source: 2, target: 2, added: 2 } },
      })
      expect(await inDatabase({ database: target.url }, 'SELECT * FROM guildhall_sessions')).toEqual([])
      const hashes = (await redis.keys()).filter((key) => key.startsWith(`${redis.prefix}session:`))
      expect(hashes).toHaveLength(2)

      await post(old, '/api/logout', {}, { cookie: bert })
      await change(source, 'UPDATE guildhall_sessions SET last_seen_at = last_seen_at + 1000')
      const cleo = await registered(old, 'cleo')
      await old.stop()
      expect(await copied(source, target.url, ...args)).toMatchObject({ code: 0, stderr: '' })
      const site = await openSite({ database: target.url, redis: redis.url, redisPrefix: redis.prefix, secret: SECRET })
      onTestFinished(() => site.close())
      const answers = [anna, bert, cleo].map(async (cookie) => {
        const { status } = await fetch(`${site.base}/api/profile`, { headers: { cookie } })
        return status
      })
      expect(await Promise.all(answers)).toEqual([200, 401, 200])
      // Their index came along: whoever ends all sessions of an account ends these.
      expect(await site.membership.users.sessions('anna')).toHaveLength(1)
      expect(await site.membership.users.endSessions('anna')).toBe(1)
    })

    test('is refused where Redis has sessions of others, or where those of the last copy would live on elsewhere', async () => {
      const redis = await borrowedRedis()
      const [source, target, other] = [fresh(), await freshDatabase(), await freshDatabase()]
      const args = ['--redis', redis.url, '--redis-prefix', redis.prefix]
      expect(await copied(source, target.url, ...args)).toMatchObject({ code: 0, stderr: '' })
      const before = (await redis.keys()).toSorted()
      const taken = await copied(fresh(), other.url, ...args)
      expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('Redis has sessions already')])
      const elsewhere = await copied(source, target.url)
      expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('Say --redis with that address again')])
      expect((await redis.keys()).toSorted()).toEqual(before)
    })
  })
})

async function freshDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase()
  onTestFinished(() => database.drop())
  return database
}

async function borrowedRedis(): Promise<TestRedis> {
  const redis = await makeRedis()
  onTestFinished(() => redis.drop())
  return redis
}

/** A file of this test's own with the five members, or migrated and without any. */
function fresh(members: 'five' | 'empty' = 'five'): string {
  const file = join(newFolder(), 'site.db')
  copyFileSync(join(made, 'site.db'), file)
  const database = new DatabaseSync(file, { timeout: 5000 })
  if (members === 'empty') database.exec('DELETE FROM guildhall_users; DELETE FROM guildhall_counters')
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
  const user = database.prepare("INSERT INTO guildhall_users VALUES (?, ?, ?, ?, 'active', 1, '[]', ?, NULL)")
  const credential = database.prepare(
    "INSERT INTO guildhall_credentials VALUES (?, ?, 'password', NULL, NULL, 'hash', ?, ?, NULL)",
  )
  const session = database.prepare(
    "INSERT INTO guildhall_sessions VALUES (?, ?, '{}', 0, ?, ?, ?, ?, ?, 1, ?, 1, 'password', ?, '::1', ?)",
  )
  const entry = database.prepare("INSERT INTO guildhall_audit VALUES (?, ?, 'login', 'ok', ?, NULL, NULL, ?, NULL, 0)")
  const counter = database.prepare('INSERT INTO guildhall_counters VALUES (?, 1, ?)')
  const signs = ['a', 'B', '_', '\u{1f98a}', '\uffee', '-', 'é', '0']
  database.exec('BEGIN')
  for (const [n, name] of names.entries()) {
    const id = `${signs[n % signs.length]}${name}`
    user.run(id, name, name.toLowerCase(), `“${name}”\n'; --`, now)
    credential.run(id, id, now, now)
    session.run(`${id}#`, `${id}!`, now, now, DAY_MS, now + DAY_MS, now + DAY_MS, id, now, `Mozilla ${name}`)
    entry.run(`audit-${name}`, now, id, null)
    counter.run(`${id}+`, now + DAY_MS)
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

/** Every row of our tables; nothing where they are not made yet. */
async function everything(database: string): Promise<Readonly<Record<string, readonly Row[]>>> {
  const rows = await allRows({ database })
  return Object.fromEntries(Object.keys(TABLE_KEYS).map((name) => [name, (rows[name] ?? []).map(inOrder)]))
}

/** Columns have another order in a database that was migrated step by step. */
function inOrder(row: Row): Row {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** None where the tables are not made yet. */
async function rowsIn(database: string): Promise<number> {
  const tables = Object.values(await everything(database))
  return tables.reduce((sum, rows) => sum + rows.length, 0)
}

/** Runs a command and kills it so many milliseconds after its mark stands in the target. */
async function killed(args: readonly string[], target: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, [BIN, ...args], { env: { PATH: process.env.PATH }, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const isAtWork = async () => {
    if (target.startsWith('sqlite:')) return openFiles(child.pid ?? 0).includes(fileOf(target))
    const asked = inDatabase(
      { database: target },
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'INSERT%'",
    )
    return (await asked).length > 0
  }
  while (child.exitCode === null && !(await isAtWork())) await after(5)
  await after(ms)
  child.kill('SIGKILL')
  await ended
}

function openFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(join(folder, fd))]
    } catch {
      return []
    }
  })
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
