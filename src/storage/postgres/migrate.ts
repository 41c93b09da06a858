// The schema in PostgreSQL: looked at, and brought up to date by one process at a time.

import type { PostgresCalls } from '../../database/postgres/calls.ts'
import type { PostgresClient, PostgresResult } from '../../database/postgres/query.ts'
import { countdown } from '../../database/timeout.ts'
import { migrations, OtherSchema, SCHEMA_VERSION } from '../migrations.ts'
import { compilerFor } from '../statement.ts'

/** Migrations wait for one another; they are not part of a request. */
const MIGRATION_DEADLINE_MS = 600_000

export async function migratePostgres(calls: PostgresCalls): Promise<void> {
  // First a look: the role of the server need not be allowed to change the schema.
  if ((await versionOf(calls)) === SCHEMA_VERSION) return
  const begin = 'BEGIN; SET LOCAL statement_timeout = 0'
  await calls.transaction(begin, (client, left) => migrateNow(calls, client, left), countdown(MIGRATION_DEADLINE_MS))
}

/** The number of the last migration; 0 where there was none. */
export async function versionOf(calls: PostgresCalls, on?: PostgresClient): Promise<number> {
  if (onlyValue(await calls.ask(on, "SELECT to_regclass('guildhall_schema') IS NOT NULL", [])) !== true) return 0
  return Number(onlyValue(await calls.ask(on, 'SELECT version FROM guildhall_schema', [])) ?? 0)
}

async function migrateNow(calls: PostgresCalls, client: PostgresClient, left: () => number): Promise<void> {
  const run = (text: string) => calls.ask(client, text, [], left())
  // Of two processes that start at once one migrates and the other finds the work done.
  await run("SELECT pg_advisory_xact_lock(hashtext('guildhall schema'))")
  // Before the look: to_regclass alone would still answer from what this connection knew before it waited.
  await run('CREATE TABLE IF NOT EXISTS guildhall_schema (version integer NOT NULL)')
  const version = await versionOf(calls, client)
  if (version === SCHEMA_VERSION) return
  if (version > SCHEMA_VERSION) throw new OtherSchema(version)
  for (const migration of migrations.slice(version)) {
    for (const statement of migration.statements(compilerFor('postgres'))) await run(statement.compile().sql)
  }
  await run('DELETE FROM guildhall_schema')
  await run(`INSERT INTO guildhall_schema (version) VALUES (${SCHEMA_VERSION})`)
}

/** Of a result with one row of one column. */
function onlyValue({ rows: [row] }: PostgresResult): unknown {
  return Object.values(row ?? {})[0]
}
