// The rules of session stores on a real PostgreSQL.

import { PostgresStore } from 'guildhall/session/postgres'
import { sessionRow, sessionStoreSuite } from 'guildhall/testing'
import pg from 'pg'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { describeOnPostgres, makeDatabase, onServer } from '../support/postgres.ts'

describeOnPostgres('PostgreSQL', () => {
  sessionStoreSuite(
    'PostgresStore',
    async () => {
      const database = await makeDatabase()
      const pool = new pg.Pool({ connectionString: database.url, max: 10 })
      pool.on('error', () => {})
      const store = new PostgresStore({ pool })
      await Promise.all([store.migrate(), store.migrate()])
      return Object.assign(store, {
        async close() {
          await pool.end()
          await database.drop()
        },
      })
    },
    { describe, it },
  )

  test('a table of a version before the first release is refused in words; one of another schema is another site’s', async () => {
    const database = await makeDatabase()
    onTestFinished(() => database.drop())
    await onServer('CREATE SCHEMA site_b', database.url)
    const [pool, poolOfB] = [[], ['-c search_path=site_b,public']].map(
      ([options]) => new pg.Pool({ connectionString: database.url, ...(options !== undefined && { options }) }),
    )
    if (!pool || !poolOfB) throw new Error('no pools')
    try {
      const store = new PostgresStore({ pool })
      const storeOfB = new PostgresStore({ pool: poolOfB })
      await store.migrate()
      await storeOfB.migrate()
      const row = sessionRow()
      await store.create(row)
      expect(await storeOfB.find(row.hash)).toBeUndefined()
      const { rows } = await pool.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename LIMIT 1")
      await pool.query(`ALTER TABLE ${rows[0].tablename} DROP COLUMN revision`)
      await expect(store.migrate()).rejects.toThrow(
        /of a version of Guildhall before its first release: drop it, and \w+_sweep beside it,/,
      )
      await storeOfB.migrate()
    } finally {
      await pool.end()
      await poolOfB.end()
    }
  })
})
