// SQLite: what is on the disk, its file modes, and two processes at once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { SqliteConnection, SqliteStore, UnexpectedRowCountError } from 'guildhall/session/sqlite'
import { sessionRow } from 'guildhall/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SESSION_COLUMNS } from '../../src/session/stores/columns.ts'
import { application, Browser } from './support.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

function open(path: string): SqliteStore {
  const store = new SqliteStore({ path })
  onTestFinished(() => store.close())
  return store
}

/** The copy of a row may be one millisecond old. */
const aMoment = () => setTimeout(3)

describe('the file', () => {
  test('D-15 has no session id in it, nor has the WAL: only hashes', async () => {
    const path = join(folder(), 'sessions.db')
    const { url } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views = (req.session.views ?? 0) + 1
          req.session.cart = 'needle'
          res.end()
        })
      },
      { store: open(path) },
    )
    const ids: string[] = []
    for (let n = 0; n < 100; n++) {
      const browser = new Browser(url)
      await browser.get('/')
      await browser.get('/')
      ids.push(browser.id)
    }
    const bytes = Buffer.concat(readdirSync(join(path, '..')).map((name) => readFileSync(join(path, '..', name))))
    expect(bytes.includes('needle')).toBe(true)
    expect(ids.every((id) => id.length === 43)).toBe(true)
    expect(ids.filter((id) => bytes.includes(id) || bytes.includes(Buffer.from(id, 'base64url')))).toEqual([])
  })

  test('is for its owner alone, with its folder, -wal and -shm, whatever the umask', async () => {
    const root = folder()
    const path = join(root, 'a', 'b', 'sessions.db')
    const before = process.platform === 'win32' ? 0 : await withUmask(path)
    expect(before).toBe(0)
    for (const name of ['sessions.db', 'sessions.db-wal', 'sessions.db-shm']) {
      expect([name, (statSync(join(root, 'a', 'b', name)).mode & 0o777).toString(8)]).toEqual([name, '600'])
    }
    for (const name of ['a', join('a', 'b')]) expect((statSync(join(root, name)).mode & 0o777).toString(8)).toBe('700')
  })

  test('keeps sessions when the store is opened again', async () => {
    const path = join(folder(), 'sessions.db')
    const row = sessionRow({ userId: 'u1', data: '{"a":"1"}' })
    const first = new SqliteStore({ path })
    await first.create(row)
    first.close()
    expect(await open(path).find(row.hash)).toEqual(row)
  })
})

/** Worker threads cannot change the umask: a process of its own makes the file and is killed, so that the WAL stays. */
async function withUmask(path: string): Promise<number> {
  const script = `
    import { SqliteStore } from 'guildhall/session/sqlite'
    process.umask(0)
    const store = new SqliteStore({ path: process.argv[1] })
    store.deleteExpired(0, 1)
    process.kill(process.pid, 'SIGKILL')`
  const [, signal] = await child(script, [path])
  return signal === 'SIGKILL' ? 0 : 1
}

async function child(script: string, args: readonly string[]): Promise<unknown[]> {
  const started = spawn(process.execPath, ['--conditions=guildhall-source', '--input-type=module', '-e', script, ...args], {
    stdio: 'inherit',
  })
  return once(started, 'exit')
}

describe('two connections on one file', () => {
  test('see what the other wrote, a millisecond later at most, although each keeps a copy', async () => {
    const path = join(folder(), 'sessions.db')
    const [one, two] = [open(path), open(path)]
    const row = sessionRow({ data: '{}' })
    await one.create(row)
    await aMoment()
    expect(await two.find(row.hash)).toEqual(row)
    await two.update(row.hash, { a: '1' })
    await aMoment()
    expect((await one.find(row.hash))?.data).toBe('{"a":"1"}')
    await one.delete([row.hash])
    expect(await one.find(row.hash)).toBeUndefined()
    await aMoment()
    expect(await two.find(row.hash)).toBeUndefined()
    expect(await two.update(row.hash, { b: '1' })).toBe(false)
  })

  test('see at once what was written through their own connection, by whatever statement', async () => {
    const connection = new SqliteConnection(join(folder(), 'shared.db'))
    onTestFinished(() => connection.close())
    connection.run('CREATE TABLE sessions AS SELECT * FROM (SELECT 1) WHERE 0')
    connection.run('DROP TABLE sessions')
    const path = join(folder(), 'template.db')
    open(path)
    const ddl = new DatabaseSync(path).prepare("SELECT sql FROM sqlite_schema WHERE name = 'express_sessions'").get()
    connection.run(String(ddl?.sql).replace('express_sessions', 'sessions'))
    const store = new SqliteStore({ connection, table: 'sessions' })
    const row = sessionRow({ userId: 'u1' })
    const writes = [
      () => connection.run("UPDATE sessions SET ip = 'run'"),
      () => connection.transaction([{ sql: 'UPDATE sessions SET ip = ?', params: ['transaction'], expectRows: 1 }]),
      () => connection.all("UPDATE sessions SET ip = 'all' RETURNING hash"),
      () => connection.first('WITH x AS (SELECT 1) UPDATE sessions SET ip = ? RETURNING hash', ['first']),
    ]
    await store.create(row)
    for (const write of writes) {
      const before = await store.find(row.hash)
      write()
      const after = await store.find(row.hash)
      expect(after?.ip).not.toBe(before?.ip)
    }
    store.close()
    expect(connection.first('SELECT count(*) AS n FROM sessions')).toEqual({ n: 1 })
  })

  test('of two processes may start at once, and lose nothing of what both write', async () => {
    const path = join(folder(), 'new', 'sessions.db')
    const row = sessionRow()
    const script = `
      import { SqliteStore } from 'guildhall/session/sqlite'
      const [path, name, row] = process.argv.slice(1)
      const store = new SqliteStore({ path })
      try { await store.create(JSON.parse(row)) } catch (error) { if (!String(error).includes('UNIQUE')) throw error }
      for (let n = 0; n < 200; n++) if (!(await store.update(JSON.parse(row).hash, { [name + n]: '1' }))) process.exit(3)
      store.close()`
    const exits = await Promise.all(['a', 'b', 'c', 'd'].map((name) => child(script, [path, name, JSON.stringify(row)])))
    expect(exits.map(([code]) => code)).toEqual([0, 0, 0, 0])
    expect(Object.keys(JSON.parse((await open(path).find(row.hash))?.data ?? '{}'))).toHaveLength(800)
  })
})

describe('a busy file', () => {
  test('is tried again until it is free, without blocking anybody', async () => {
    const path = join(folder(), 'sessions.db')
    const store = open(path)
    const row = sessionRow()
    await store.create(row)
    const other = new DatabaseSync(path)
    onTestFinished(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    const update = store.update(row.hash, { a: '1' })
    expect(update).toBeInstanceOf(Promise)
    expect(await store.find(row.hash)).toEqual(row)
    other.exec('COMMIT')
    expect(await update).toBe(true)
    expect((await store.find(row.hash))?.data).toBe('{"a":"1"}')
  })

  test('that stays busy is an error with a code', async () => {
    const path = join(folder(), 'sessions.db')
    const store = open(path)
    const other = new DatabaseSync(path)
    onTestFinished(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    await expect(store.create(sessionRow())).rejects.toMatchObject({ code: 'store_busy' })
    other.exec('ROLLBACK')
  })
})

describe('a unit of work', () => {
  function table(): SqliteConnection {
    const connection = new SqliteConnection(':memory:')
    onTestFinished(() => connection.close())
    connection.run('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT) STRICT')
    return connection
  }

  test('is done as a whole, and says how many rows each step changed', () => {
    const connection = table()
    const insert = { sql: 'INSERT INTO t (v) VALUES (?)', params: ['x'], expectRows: 1 }
    expect(connection.transaction([insert, insert, { sql: 'UPDATE t SET v = ?', params: ['y'] }], { durable: true })).toEqual([
      1, 1, 2,
    ])
    expect(connection.all('SELECT * FROM t')).toEqual([
      { id: 1, v: 'y' },
      { id: 2, v: 'y' },
    ])
  })

  test('that misses rolls back everything and names the step', () => {
    const connection = table()
    const insert = { sql: 'INSERT INTO t (v) VALUES (?)', params: ['x'] }
    const miss = { sql: 'DELETE FROM t WHERE id = ?', params: [99], expectRows: 1, name: 'consume token' }
    const error = (() => {
      try {
        return connection.transaction([insert, miss])
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(UnexpectedRowCountError)
    expect(error).toMatchObject({ statement: 'consume token', message: 'consume token: expected to touch 1 rows, touched 0' })
    expect(connection.all('SELECT * FROM t')).toEqual([])
    expect(() => connection.transaction([insert, { sql: 'INSERT INTO t (id) VALUES (?)', params: ['no number'] }])).toThrow()
    expect(connection.all('SELECT * FROM t')).toEqual([])
    expect(connection.transaction([insert])).toEqual([1])
  })

  test('that is durable leaves the connection as it was', () => {
    const connection = table()
    connection.transaction([], { durable: true })
    expect(connection.first('PRAGMA synchronous')).toEqual({ synchronous: 1 })
    expect(connection.first('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 })
    expect(connection.first('PRAGMA busy_timeout')).toEqual({ timeout: 50 })
  })
})

test('the table is a plain name', () => {
  const connection = new SqliteConnection(':memory:')
  onTestFinished(() => connection.close())
  expect(() => new SqliteStore({ connection, table: 'x; DROP TABLE y' })).toThrow('must be a plain name')
})

const OLD_TABLE = SESSION_COLUMNS.filter((column) => column !== 'revision').join(', ')

test.each<[string, string, string]>([
  ['of a version before the first release', OLD_TABLE, 'of a version of Guildhall before its first release: drop it'],
  ['of another program', 'sid, sess, expire', 'of another program, without hash, public_id'],
  ['of another program that has revisions', 'sid, user_id, expires_at, revision', 'of another program, without hash, public_id'],
])('a file with a table %s is refused in words, and stays byte for byte as it is', (_, columns, words) => {
  const path = join(folder(), 'sessions.db')
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE express_sessions (${columns})`)
  database.close()
  const before = readFileSync(path)
  expect(() => new SqliteStore({ path })).toThrow(words)
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(join(path, '..'))).toEqual(['sessions.db'])
})
