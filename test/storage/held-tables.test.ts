// A migration while somebody holds a table: nobody else waits for long behind it, and it is done in the end.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDatabase } from '../../src/storage/open.ts'
import { describeOnPostgres, makeDatabase, onServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'

// A later version that needs a table of today's for itself.
vi.mock('../../src/storage/migrations.ts', async (load) => {
  const { migrations } = await load<typeof import('../../src/storage/migrations.ts')>()
  const statements = ['ALTER TABLE guildhall_users ADD COLUMN later text']
  return { migrations: [...migrations, { number: migrations.length + 1, title: 'later', statements }] }
})

const FIXTURES = join(import.meta.dirname, 'fixtures')

describeOnPostgres('on PostgreSQL', () => {
  test('visitors who read a table that a report holds are served while the site is brought up to date', {
    timeout: 60_000,
  }, async () => {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    await onServer(readFileSync(join(FIXTURES, 'schema-1.sql'), 'utf8'), url)
    const report = await connected(url)
    await report.query('BEGIN; SELECT * FROM guildhall_users')
    const warn = vi.fn()
    const database = openDatabase(url, { redis: undefined, log: { warn }, production: false })
    onTestFinished(() => database.close())
    const migrated = database.migrate()

    const visitor = await connected(url)
    await until(async () => (await visitor.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount === 1)
    // Behind the migration that waits: without a bound this would wait as long as the report lasts.
    expect((await visitor.query('SELECT username FROM guildhall_users')).rows).toEqual([{ username: 'anna' }])
    await until(() => warn.mock.calls.length > 0)
    expect(warn.mock.calls[0]?.[1]).toContain('another session holds a table of ours')
    expect((await visitor.query('SELECT version FROM guildhall_schema')).rows).toEqual([{ version: 1 }])

    await report.query('COMMIT')
    await migrated
    await database.check()
    expect((await visitor.query('SELECT username, later FROM guildhall_users')).rows).toEqual([{ username: 'anna', later: null }])
  })

  test('of two processes that begin while a report holds the table one does it, and the other finds it done', {
    timeout: 60_000,
  }, async () => {
    const { url, drop } = await makeDatabase()
    onTestFinished(drop)
    await onServer(readFileSync(join(FIXTURES, 'schema-1.sql'), 'utf8'), url)
    const report = await connected(url)
    await report.query('BEGIN; SELECT * FROM guildhall_users')
    const warn = vi.fn()
    const both = [1, 2].map(() => openDatabase(url, { redis: undefined, log: { warn }, production: false }))
    onTestFinished(async () => void (await Promise.all(both.map((database) => database.close()))))
    const migrated = Promise.all(both.map((database) => database.migrate()))
    await until(() => warn.mock.calls.length > 1)
    await report.query('COMMIT')
    await migrated
    await Promise.all(both.map((database) => database.check()))
  })
})

describe('on SQLite', () => {
  test('visitors read the file while a migration waits for somebody who holds it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'members.db')
    copyFileSync(join(FIXTURES, 'schema-1.db'), file)
    const holder = new DatabaseSync(file)
    onTestFinished(() => holder.close())
    holder.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE')
    const database = openDatabase(`sqlite:${file}`)
    onTestFinished(() => database.close())
    const migrated = database.migrate()
    const visitor = new DatabaseSync(file, { readOnly: true, timeout: 0 })
    onTestFinished(() => visitor.close())
    for (let n = 0; n < 50; n++) {
      expect(visitor.prepare('SELECT username FROM guildhall_users').all()).toEqual([{ username: 'anna' }])
      await new Promise((resolve) => setImmediate(resolve))
    }
    holder.exec('COMMIT')
    await migrated
    await database.check()
  })
})

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}
