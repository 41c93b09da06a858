// The contract of the database: whole transactions, migrations that happen once, no touching of a newer schema.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Counters, type Database, UnexpectedRowCountError } from '../../src/storage/contract.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { SCHEMA_VERSION } from '../../src/storage/schema-state.ts'
import { bind, statement } from '../../src/storage/statement.ts'
import { findUserById, findUserByKey, insertPassword, insertUser, raiseEpoch, setUsername } from '../../src/storage/users.ts'
import { testClock } from '../support/clock.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { failuresOf, throttleOn, tryAtOnce } from '../support/throttles.ts'
import { until } from '../support/until.ts'

/** Empty, and of a test's own. */
export interface ContractPlace {
  readonly setting: string
  remove(): Promise<void> | void
}

export const user = (id: string, name: string) => ({
  id,
  username: name,
  usernameKey: name,
  displayName: name,
  roles: '[]',
  now: 1,
})
const password = (userId: string) => ({ id: `p-${userId}`, userId, hash: 'a hash', now: 1 })

const session = (hash: string, more: object = {}) => ({
  hash, publicId: `public-${hash}`, data: '{}', revision: 0, createdAt: 1, lastSeenAt: 1, idleMs: 1000, expiresAt: 2000, endsAt: 3000, persistent: false,
  userId: undefined, credentialEpoch: undefined, factors: undefined, authenticatedAt: undefined, ip: undefined, userAgent: undefined, ...more,
}) // biome-ignore format: a row reads as a block

/** Declares them as tests. */
export function databaseContract(makePlace: () => ContractPlace | Promise<ContractPlace>): void {
  let place: ContractPlace
  let db: Database
  let other: Database

  beforeEach(async () => {
    place = await makePlace()
    db = openDatabase(place.setting)
    other = openDatabase(place.setting)
  })
  afterEach(async () => {
    await Promise.all([db.close(), other.close()])
    await place.remove()
  })

  test('F-46 two processes that start at once: one migrates, the other finds the work done', async () => {
    await expect(db.check()).rejects.toThrow('not migrated')
    await Promise.all([db.migrate(), other.migrate(), db.migrate(), other.migrate()])
    await Promise.all([db.check(), other.check()])
    expect(await db.first(findUserByKey, { usernameKey: 'anna' })).toBeUndefined()
  })

  test('F-46 a newer schema is left alone, by the start and by the check', async () => {
    await db.migrate()
    await inDatabase({ database: place.setting }, 'UPDATE guildhall_schema SET version = 999')
    await expect(db.migrate()).rejects.toThrow('has schema 999')
    await expect(other.check()).rejects.toThrow('has schema 999')
    expect(SCHEMA_VERSION).toBeLessThan(999)
  })

  test('a row that is there already is another number of rows, not a database that is away', async () => {
    await db.migrate()
    await db.transaction([bind(insertUser, user('u1', 'anna'), { expectRows: 1 })])
    const again = db.transaction([bind(insertUser, user('u1', 'berta'), { expectRows: 1 })])
    await expect(again).rejects.toThrow(UnexpectedRowCountError)
    await expect(again).rejects.toMatchObject({ statement: insertUser.name })
  })

  test('a lease has one holder until it is over, who may say so again', async () => {
    await db.migrate()
    expect(await db.lease('work', 'a', 0, 10)).toBe(true)
    expect([await other.lease('work', 'b', 9, 20), await other.lease('other work', 'b', 9, 20)]).toEqual([false, true])
    expect(await db.lease('work', 'a', 9, 15)).toBe(true)
    expect(await other.lease('work', 'b', 15, 20)).toBe(true)
    expect(await db.lease('work', 'a', 16, 30)).toBe(false)
  })

  test('a lease that a process took while its clock was a year ahead keeps nobody from the work', async () => {
    await db.migrate()
    const year = 365 * 86_400_000
    expect(await db.lease('work', 'a', year, year + 60_000)).toBe(true)
    expect(await other.lease('work', 'b', 0, 60_000)).toBe(true)
    expect(await db.lease('work', 'a', 0, 60_000)).toBe(false)
  })

  test('a transaction in which a statement misses leaves nothing of those before it, and names it', async () => {
    await db.migrate()
    const missed = db.transaction([
      bind(insertUser, user('u1', 'anna'), { expectRows: 1 }),
      bind(insertPassword, password('u1')),
      bind(raiseEpoch, { id: 'nobody', from: 1 }, { expectRows: 1 }),
    ])
    await expect(missed).rejects.toThrow(UnexpectedRowCountError)
    await expect(missed).rejects.toMatchObject({ statement: raiseEpoch.name })
    expect(await db.first(findUserById, { id: 'u1' })).toBeUndefined()
    await db.transaction([bind(insertUser, user('u1', 'anna'), { expectRows: 1 }), bind(insertPassword, password('u1'))])
    expect(await db.first(findUserById, { id: 'u1' })).toMatchObject({ username: 'anna', credentialEpoch: 1, createdAt: 1 })
  })

  test('a transaction that the database refuses leaves nothing either, and the next one works', async () => {
    await db.migrate()
    const broken = db.transaction([
      bind(insertUser, user('u1', 'anna'), { expectRows: 1 }),
      bind(insertPassword, password('nobody')),
    ])
    await expect(broken).rejects.toThrow()
    expect(await db.first(findUserById, { id: 'u1' })).toBeUndefined()
    await db.transaction([bind(insertUser, user('u1', 'anna'), { expectRows: 1 })])
  })

  test('F-20 of units of work in two processes that make one name, exactly one is done', async () => {
    await db.migrate()
    const make = (n: number) =>
      (n % 2 === 0 ? db : other).transaction([
        bind(insertUser, user(`u${n}`, 'wanted'), { expectRows: 1 }),
        bind(insertPassword, password(`u${n}`)),
      ])
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => make(n)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(UnexpectedRowCountError)
    expect(await inDatabase({ database: place.setting }, 'SELECT id FROM guildhall_credentials')).toHaveLength(1)
  })

  test('a transaction that raises two accounts in one order and one in the other are both done, whatever waits for what', async () => {
    await db.migrate()
    for (const id of ['u1', 'u2']) await db.transaction([bind(insertUser, user(id, `name-${id}`), { expectRows: 1 })])
    const raiseAny = statement('raise whatever the epoch is', (db, p: { id: string }) =>
      db
        .updateTable('guildhall_users')
        .set((value) => ({ credential_epoch: value('credential_epoch', '+', 1) }))
        .where('id', '=', p.id),
    )
    const raise = (...ids: string[]) => ids.map((id) => bind(raiseAny, { id }, { expectRows: 1 }))
    for (let round = 0; round < 10; round++) {
      await Promise.all([db, other, db, other].map((one, n) => one.transaction(n < 2 ? raise('u1', 'u2') : raise('u2', 'u1'))))
    }
    for (const id of ['u1', 'u2']) expect(await db.first(findUserById, { id })).toMatchObject({ credentialEpoch: 41 })
  })

  test('a name that another account has is not given twice', async () => {
    await db.migrate()
    for (const id of ['u1', 'u2']) await db.transaction([bind(insertUser, user(id, `name-${id}`), { expectRows: 1 })])
    const taken = db.transaction([
      bind(setUsername, { id: 'u2', username: 'name-u1', usernameKey: 'name-u1' }, { expectRows: 1 }),
    ])
    await expect(taken).rejects.toThrow(UnexpectedRowCountError)
  })

  test('B-10 of a hundred guesses at once in two processes, exactly as many as the limit are judged', async () => {
    await db.migrate()
    const clock = testClock()
    const throttles = [throttleOn(db.counters, clock), throttleOn(other.counters, clock)]
    const limit = failuresOf('30 per 10m')
    expect(await tryAtOnce(throttles, 100, limit, () => 'failure')).toBe(30)
    await expect(throttles[1]?.take(limit, 'somebody')).rejects.toMatchObject({ code: 'too_many_requests', retryAfter: 600 })
    clock.forward('10m')
    expect(await tryAtOnce(throttles, 100, limit, () => 'failure')).toBe(30)
  })

  test('B-09 B-23 nobody who knows the password is refused while others guess, in two processes, and no guess is lost', async () => {
    await Promise.all([db.migrate(), other.migrate()])
    const clock = testClock()
    const throttles = [throttleOn(db.counters, clock), throttleOn(other.counters, clock)]
    for (let round = 0; round < 10; round++) {
      const limit = { ...failuresOf('30 per 10m'), name: `round ${round}` }
      expect(await tryAtOnce(throttles, 80, limit, (n) => (n % 4 === 0 ? 'failure' : 'success'))).toBe(80)
      expect(await tryAtOnce(throttles, 50, limit, () => 'failure')).toBe(10)
    }
  })

  test('B-23 the slots of a process that died come back, and while they are gone nobody is refused for them', async () => {
    await db.migrate()
    const clock = testClock()
    const limit = failuresOf('2 per 10m')
    const dead = throttleOn(other.counters, clock)
    for (let n = 0; n < 2; n++) await dead.take(limit, 'somebody')
    let looks = 0
    const counters: Counters = {
      find(key) {
        looks++
        return db.counters.find(key)
      },
      swap: (...asked) => db.counters.swap(...asked),
      deleteExpired: (...asked) => db.counters.deleteExpired(...asked),
    }
    let slot: unknown
    const waits = throttleOn(counters, clock)
      .take(limit, 'somebody')
      .then((taken) => {
        slot = taken
      })
    // It looks again and again, and still has none.
    await until(() => looks >= 4)
    expect(slot).toBeUndefined()
    clock.forward('60s')
    await waits
    expect(slot).toMatchObject({ isKnown: false })
  })

  test('of those who replace one state of a counter at once, one does', async () => {
    await db.migrate()
    const swap = (from: string | undefined, to: string) =>
      Promise.all(
        Array.from({ length: 20 }, async (_, n) => (n % 2 === 0 ? db : other).counters.swap('k', from, `${to}${n}`, 100)),
      )
    expect((await swap(undefined, 'a')).filter(Boolean)).toHaveLength(1)
    const found = await other.counters.find('k')
    expect(found).toMatch(/^a\d+$/)
    expect((await swap('a', 'b')).filter(Boolean)).toHaveLength(0)
    expect((await swap(undefined, 'b')).filter(Boolean)).toHaveLength(0)
    expect((await swap(found, 'b')).filter(Boolean)).toHaveLength(1)
  })

  test('I-01 a null character finds nobody and breaks nothing', async () => {
    await db.migrate()
    expect(await db.first(findUserByKey, { usernameKey: 'an\0na' })).toBeUndefined()
  })

  test('D-23 keys that only JavaScript thinks of are kept in a session, changed and taken away', async () => {
    await db.migrate()
    await db.sessions.create(session('s1'))
    for (const key of ['a\0b', '\ud800', '__proto__', "'; DROP TABLE guildhall_users; --", '']) {
      expect(await db.sessions.update('s1', { [key]: '"\\u0000 one"', beside: '1' })).toBe(true)
      expect(await db.sessions.update('s1', { more: '{"n":1e3}' })).toBe(true)
      const stored = await db.sessions.find('s1')
      const expected = { [key]: '"\\u0000 one"', beside: '1', more: '{"n":1e3}' }
      if (key !== '__proto__') expect(JSON.parse(stored?.data ?? '')).toEqual(expected)
      expect(await db.sessions.update('s1', { [key]: null, beside: null, more: null })).toBe(true)
      expect((await db.sessions.find('s1'))?.data.replaceAll(' ', '')).toBe('{}')
    }
  })

  test('a session brings its user along, and goes with the user', async () => {
    await db.migrate()
    await db.transaction([bind(insertUser, user('u1', 'anna'), { expectRows: 1 })])
    await db.sessions.create(session('s1', { userId: 'u1', credentialEpoch: 1 }))
    expect(await other.sessions.find('s1')).toMatchObject({
      userId: 'u1',
      user: { username: 'anna', credentialEpoch: 1, roles: [] },
    })
    await inDatabase({ database: place.setting }, "DELETE FROM guildhall_users WHERE id = 'u1'")
    expect(await db.sessions.find('s1')).toBeUndefined()
  })
}
