// The database contract on SQLite and on PostgreSQL, and what is PostgreSQL's alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/storage/open.ts'
import { bind } from '../../src/storage/statement.ts'
import { insertUser } from '../../src/storage/users.ts'
import { inDatabase } from '../support/database-inspector.ts'
import { describeOnPostgres, makeDatabase, onServer } from '../support/postgres.ts'
import { openSite } from '../support/site.ts'
import { failuresOf, throttleOn } from '../support/throttles.ts'
import { type ContractPlace, databaseContract, user } from './database-contract.ts'

function onFile(): ContractPlace {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  return { setting: `sqlite:${join(folder, 'members.db')}`, remove: () => rmSync(folder, { recursive: true }) }
}

async function onPostgres(): Promise<ContractPlace> {
  const { url, drop } = await makeDatabase()
  return { setting: url, remove: drop }
}

describe('on SQLite', () => databaseContract(onFile))

test('a statement whose table is missing is a mistake of ours, not a store that is away', async () => {
  const site = await openSite()
  onTestFinished(() => site.close())
  await inDatabase(site, 'ALTER TABLE guildhall_credentials RENAME TO elsewhere')
  const { status, text } = await site.visitor().logIn('anna')
  await inDatabase(site, 'ALTER TABLE elsewhere RENAME TO guildhall_credentials')
  expect([status, text]).toEqual([500, expect.stringContaining('"code":"internal"')])
  expect(site.logs).toContainEqual(expect.objectContaining({ level: 'error', message: 'a request failed' }))
})

describeOnPostgres('on PostgreSQL', () => {
  databaseContract(onPostgres)

  test('an open pool is used and left open; what its connection string says counts', async () => {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    await onServer('CREATE SCHEMA members', url)
    const pool = new pg.Pool({ connectionString: `${url}?options=-c%20search_path%3Dmembers&application_name=hall`, max: 2 })
    onTestFinished(() => pool.end())
    const db = openDatabase(pool)
    await db.migrate()
    await db.transaction([bind(insertUser, user('u1', 'anna'), { expectRows: 1 })])
    await db.close()
    const { rows } = await pool.query('SELECT username FROM members.guildhall_users')
    expect(rows).toEqual([{ username: 'anna' }])
    expect((await pool.query('SHOW application_name')).rows).toEqual([{ application_name: 'hall' }])
  })

  test('B-18 of a flood on one full counter nearly all are refused without a statement of their own', async () => {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    const pool = new pg.Pool({ connectionString: url, max: 10 })
    onTestFinished(() => pool.end())
    const db = openDatabase(pool)
    await db.migrate()
    let statements = 0
    const query = pool.query.bind(pool)
    Object.assign(pool, { query: (...asked: Parameters<typeof query>) => ++statements && query(...asked) })
    const throttle = throttleOn(db.counters)
    const limit = failuresOf('20 per 10m')
    const order: number[] = []
    const tries = Array.from({ length: 1000 }, async (_, n) => {
      const slot = await throttle.take(limit, 'somebody')
      order.push(n)
      await throttle.release(slot, 'failure')
    })
    await Promise.allSettled(tries)
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(statements).toBeLessThan(10)
    await db.close()
  })

  test('a pool of one connection serves many units of work at once', async () => {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    onTestFinished(() => pool.end())
    const db = openDatabase(pool)
    await db.migrate()
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => db.transaction([bind(insertUser, user(`u${n}`, `n${n}`), { expectRows: 1 })])),
    )
    expect((await pool.query('SELECT count(*)::int AS n FROM guildhall_users')).rows).toEqual([{ n: 20 }])
    expect(pool.totalCount).toBe(1)
    await db.close()
  })
})
