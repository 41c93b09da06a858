// What waits for a PostgreSQL that does not answer: bounded in number, and cancelled when nobody waits any more.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { MAX_CONNECTIONS } from '../../src/database/postgres/pool.ts'
import { MAX_WAITING } from '../../src/database/postgres/semaphore.ts'
import { activeTime } from '../../src/database/timeout.ts'
import type { Database } from '../../src/storage/contract.ts'
import { openPostgres } from '../../src/storage/postgres/database.ts'
import { findUserById } from '../../src/storage/users.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { describeOnPostgres, makeDatabase } from '../support/postgres.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const DEADLINE_MS = 500

interface TestPool {
  readonly db: Database
  readonly url: string
  readonly proxy: TcpProxy
}

async function openTestPool(): Promise<TestPool> {
  const { url, drop } = await makeDatabase()
  onTestFinished(drop)
  const proxy = await TcpProxy.before(url)
  onTestFinished(() => proxy.close())
  const db = openPostgres(proxy.urlOf(url))
  onTestFinished(() => db.close())
  await db.migrate()
  return { db, url, proxy }
}

/** More turns of the event loop than the refusal of a call needs; none of them is a timer. */
const TURNS = 20

/** How many calls were refused before any call can have timed out. */
async function countAtOnce(calls: readonly Promise<unknown>[]): Promise<number> {
  let rejected = 0
  const judged = calls.map(async (call) => {
    await expect(call).rejects.toMatchObject({ code: 'store_unavailable' })
    rejected++
  })
  for (let turn = 0; turn < TURNS; turn++) await nextTurn()
  const atOnce = rejected
  await Promise.all(judged)
  return atOnce
}

describeOnPostgres('behind a PostgreSQL that says nothing', () => {
  test.each([
    // Look-ups that come together are one call.
    ['sessions', ({ db }: TestPool) => db.sessions.delete(['nobody']), MAX_CONNECTIONS],
    ['everything else', ({ db }: TestPool) => db.first(findUserById, { id: 'nobody' }), MAX_CONNECTIONS - 3],
  ] as const)('F-11 %s: so many calls wait, and more are turned away at once', async (_, ask, connections) => {
    const store = await openTestPool()
    store.proxy.stall()
    const calls = Array.from({ length: MAX_WAITING + connections + 50 }, async () => ask(store))
    const rejected = await countAtOnce(calls)
    expect(rejected).toBeGreaterThanOrEqual(50)
    // The first ones wait too, until they are given their connections.
    expect(rejected).toBeLessThanOrEqual(50 + MAX_CONNECTIONS)
    await store.proxy.restore()
    const isBack = async () => (await Promise.allSettled([ask(store)]))[0].status
    await expect.poll(isBack).toBe('fulfilled')
  })

  test('F-10 a call queued behind calls that fail is refused with them, not after as long once more', async () => {
    const { db, proxy } = await openTestPool()
    await db.first(findUserById, { id: 'nobody' })
    proxy.stall()
    const ask = async () => {
      const began = activeTime()
      await expect(db.first(findUserById, { id: 'nobody' })).rejects.toMatchObject({ code: 'store_unavailable' })
      return activeTime() - began
    }
    const first = Array.from({ length: MAX_CONNECTIONS }, ask)
    await sleep(DEADLINE_MS / 5)
    const behind = Array.from({ length: MAX_CONNECTIONS }, ask)
    expect(Math.max(...(await Promise.all([...first, ...behind])))).toBeLessThan(1.5 * DEADLINE_MS)
  })

  test('F-11 what waits for a lock there is told to give up when nobody waits for it any more', async () => {
    const { db, url } = await openTestPool()
    const somebody = new pg.Client({ connectionString: url })
    await somebody.connect()
    onTestFinished(() => somebody.end())
    await somebody.query('BEGIN; LOCK TABLE guildhall_users IN ACCESS EXCLUSIVE MODE')
    let most = 0
    for (let second = 0; second < 4; second++) {
      await Promise.allSettled(Array.from({ length: 20 }, async () => db.first(findUserById, { id: 'nobody' })))
      await sleep(DEADLINE_MS)
      most = Math.max(most, await countConnections(url))
    }
    // Its own, somebody's, the one that looks, and as many as give up right now.
    expect(most).toBeLessThan(2 * MAX_CONNECTIONS + 2)
    await somebody.query('ROLLBACK')
    await expect.poll(async () => db.sessions.find('nobody')).toBeUndefined()
  })
})

async function countConnections(url: string): Promise<number> {
  const sql = 'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()'
  return Number((await inDatabase({ database: url }, sql))[0]?.n)
}
