// The laws of session stores on a real PostgreSQL.

import { PostgresStore } from 'guildhall/session/postgres'
import { sessionStoreSuite } from 'guildhall/testing'
import pg from 'pg'
import { describe, it } from 'vitest'
import { describeOnPostgres, makeDatabase } from '../support/postgres.ts'

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
})
