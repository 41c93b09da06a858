// The copies of session rows that a process keeps: used while nothing was written, and never out of date.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import type { SessionRow } from 'guildhall/session'
import { SqliteConnection, SqliteStore } from 'guildhall/session/sqlite'
import { sessionRow } from 'guildhall/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SqlValue } from '../../src/database/transaction.ts'
import { SESSION_COLUMNS } from '../../src/session/stores/columns.ts'

/** Sessions with a word of their user, as a membership reads them: in one table, the word in another. */
const FIND = `SELECT ${SESSION_COLUMNS.map((column) => `sessions.${column}`).join(', ')}, words.word
  FROM sessions LEFT JOIN words ON words.of = user_id WHERE sessions.hash = ?`

class Worded extends SqliteStore {
  protected override complete(row: SessionRow, [word]: readonly SqlValue[]) {
    return { ...row, userAgent: word === null ? undefined : String(word) }
  }
}

interface Place {
  readonly path: string
  readonly connection: SqliteConnection
  readonly store: Worded
}

function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'members.db')
  new SqliteStore({ path }).close()
  const connection = new SqliteConnection(path)
  onTestFinished(() => connection.close())
  for (const sql of [
    'ALTER TABLE express_sessions RENAME TO sessions',
    'CREATE TABLE words (of TEXT PRIMARY KEY, word TEXT)',
    'CREATE TABLE origins (id INTEGER PRIMARY KEY)',
    'CREATE TABLE counters (key TEXT PRIMARY KEY, n INTEGER, origin INTEGER REFERENCES origins ON DELETE CASCADE)',
    "INSERT INTO words VALUES ('u1', 'one')",
  ])
    connection.run(sql)
  return { path, connection, store: new Worded({ connection, table: 'sessions', find: FIND }) }
}

async function twoSessions({ store }: Place) {
  const [anna, berta] = [sessionRow({ userId: 'u1' }), sessionRow({ userId: 'u2' })]
  await store.create(anna)
  await store.create(berta)
  // Another connection's question is asked with the first look; what is found from here on is a copy.
  await store.find(anna.hash)
  return { anna: anna.hash, berta: berta.hash }
}

/** Whether the store answers with the very object of before: a copy, not a new look into the file. */
async function keeps({ store }: Place, hash: string, write: () => unknown): Promise<boolean> {
  // A changed schema is noticed by the first look.
  await store.find(hash)
  const before = await store.find(hash)
  expect(await store.find(hash)).toBe(before)
  await write()
  return (await store.find(hash)) === before
}

const UNIT = [
  { sql: "INSERT INTO counters (key, n) VALUES ('unit', 1)", params: [], expectRows: 1 },
  { sql: "UPDATE counters SET n = 2 WHERE key = 'unit'", params: [], expectRows: 1 },
]

test('a person keeps their copy while counters are written and while others come, go and are swept', async () => {
  const here = place()
  const { connection, store } = here
  const { anna, berta } = await twoSessions(here)
  const expired = sessionRow({ expiresAt: 1 })
  const writes = {
    'a write of another table': () => connection.run("INSERT INTO counters (key, n) VALUES ('x', 1) ON CONFLICT DO NOTHING"),
    'a unit of work on another table': () => connection.transaction(UNIT, { durable: true }),
    'a session that begins': () => store.create(expired),
    'a touch of another': () => store.touch(berta, { lastSeenAt: 2, expiresAt: 3 }),
    'a change of another': () => store.update(berta, { a: '1' }),
    'a cleanup': async () => expect(await store.deleteExpired(2, 10)).toBe(1),
    'another who is sent away everywhere': async () => expect(await store.deleteByUser('u2')).toBe(1),
  }
  for (const [name, write] of Object.entries(writes)) expect([name, await keeps(here, anna, write)]).toEqual([name, true])
  expect(await store.find(expired.hash)).toBeUndefined()
  expect(await store.find(berta)).toBeUndefined()
})

test('a person who is sent away everywhere is gone at once, and so is a session that is swept', async () => {
  const here = place()
  const { anna, berta } = await twoSessions(here)
  await here.store.find(berta)
  await here.store.deleteByUser('u1')
  expect(await here.store.find(anna)).toBeUndefined()
  expect(await here.store.deleteExpired(Number.MAX_SAFE_INTEGER, 10)).toBe(1)
  expect(await here.store.find(berta)).toBeUndefined()
})

describe('in the same tick, a copy goes with', () => {
  /** In this very tick: a value, no promise. */
  const word = (here: Place, hash: string) => here.store.find(hash)
  const changes: Record<string, (connection: SqliteConnection) => unknown> = {
    'a write to a table that is read along': (on) => on.run("UPDATE words SET word = 'run'"),
    'a unit of work': (on) => on.transaction([...UNIT, { sql: "UPDATE words SET word = 'unit'", params: [] }]),
    'a write that answers rows': (on) => on.all("UPDATE words SET word = 'all' RETURNING word"),
    'a write behind a WITH, in capitals': (on) => on.run("WITH x AS (SELECT 1) UPDATE WORDS SET word = 'with'"),
    'a replacement': (on) => on.run("REPLACE INTO words VALUES ('u1', 'replaced')"),
    'a trigger of another table': (on) => on.run("INSERT INTO counters (key, n) VALUES ('trigger', 1)"),
    'the trigger of a cascade': (on) => on.run('DELETE FROM origins'),
    'a change of the schema': (on) => on.run("ALTER TABLE words ADD COLUMN more TEXT DEFAULT 'x'"),
  }

  test.each(Object.entries(changes))('%s', async (name, change) => {
    const here = place()
    const { anna } = await twoSessions(here)
    if (name.includes('trigger')) {
      here.connection.run('INSERT INTO origins VALUES (1)')
      here.connection.run("INSERT INTO counters VALUES ('child', 1, 1)")
      for (const event of ['INSERT', 'DELETE'])
        here.connection.run(`CREATE TRIGGER on_${event} AFTER ${event} ON counters BEGIN UPDATE words SET word = '${event}'; END`)
    }
    void word(here, anna)
    const before = word(here, anna)
    expect(word(here, anna)).toBe(before)
    change(here.connection)
    const after = word(here, anna)
    expect(after).not.toBe(before)
    if (!name.includes('schema')) expect(after).not.toEqual(before)
  })

  test('a write of our own that sets off a trigger', async () => {
    const here = place()
    const { anna, berta } = await twoSessions(here)
    here.connection.run("CREATE TRIGGER more AFTER UPDATE ON sessions BEGIN UPDATE words SET word = 'set off'; END")
    expect(await keeps(here, anna, () => here.store.update(berta, { a: '1' }))).toBe(false)
    expect((await here.store.find(anna))?.userAgent).toBe('set off')
  })

  test('a trigger that another process has made since', async () => {
    const here = place()
    const { anna } = await twoSessions(here)
    const count = "UPDATE counters SET n = n + 1 WHERE key = 'late'"
    here.connection.run("INSERT INTO counters (key, n) VALUES ('late', 1)")
    expect(await keeps(here, anna, () => here.connection.run(count))).toBe(true)
    const other = new DatabaseSync(here.path)
    other.exec("CREATE TRIGGER late AFTER UPDATE ON counters BEGIN UPDATE words SET word = 'late'; END")
    other.close()
    await setTimeout(3)
    await here.store.find(anna)
    here.connection.run(count)
    expect((await here.store.find(anna))?.userAgent).toBe('late')
  })

  test('a unit of work that was taken back after somebody looked', async () => {
    const here = place()
    const { anna } = await twoSessions(here)
    const before = await here.store.find(anna)
    const seen: unknown[] = []
    const work = () => {
      here.connection.run("UPDATE words SET word = 'never'")
      seen.push(here.store.find(anna))
      throw new Error('taken back')
    }
    expect(() => here.connection.exclusively(work)).toThrow('taken back')
    expect(seen).toMatchObject([{ userAgent: 'never' }])
    expect(await here.store.find(anna)).toEqual(before)
  })
})

test('what another connection commits is seen a millisecond later, in whatever table', async () => {
  const here = place()
  const { anna } = await twoSessions(here)
  const other = new DatabaseSync(here.path)
  onTestFinished(() => other.close())
  for (const [sql, seen] of [
    ["UPDATE words SET word = 'theirs'", 'theirs'],
    ['DELETE FROM words', undefined],
    ["INSERT INTO counters (key, n) VALUES ('theirs', 1)", undefined],
  ] as const) {
    const before = await here.store.find(anna)
    other.exec(sql)
    await setTimeout(3)
    const after = await here.store.find(anna)
    expect(after).not.toBe(before)
    expect(after?.userAgent).toBe(seen)
  }
})

test('a Node that does not say which tables a statement writes to keeps no copy over any write but of known sessions', async () => {
  const authorizer = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'setAuthorizer')
  Reflect.deleteProperty(DatabaseSync.prototype, 'setAuthorizer')
  onTestFinished(() => {
    if (authorizer) Object.defineProperty(DatabaseSync.prototype, 'setAuthorizer', authorizer)
  })
  const here = place()
  const { anna, berta } = await twoSessions(here)
  expect(await keeps(here, anna, () => here.store.update(berta, { a: '1' }))).toBe(true)
  expect(await keeps(here, anna, () => here.connection.run("INSERT INTO counters (key, n) VALUES ('x', 1)"))).toBe(false)
  here.connection.run("UPDATE words SET word = 'new'")
  expect((await here.store.find(anna))?.userAgent).toBe('new')
})
