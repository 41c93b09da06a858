// Checks the schema in PostgreSQL, and migrates it in one process at a time.

import { setTimeout as sleep } from 'node:timers/promises'
import { type PostgresCalls, wasRolledBack } from '../../database/postgres/calls.ts'
import type { PostgresClient, PostgresResult } from '../../database/postgres/query.ts'
import { startDeadline } from '../../database/timeout.ts'
import type { Logger } from '../../domain/logger.ts'
import {
  CREATE_SCHEMA_TABLE,
  hasVersion,
  OTHER_TABLES,
  refuseOtherSchema,
  SCHEMA_VERSION,
  type SchemaState,
  SELECT_SCHEMA,
  schemaStateOf,
  statementsFrom,
  UNRELEASED_COLUMNS,
  UnfitDatabaseError,
} from '../schema-state.ts'

/** Migrations wait for one another; no request waits for them. */
const MIGRATION_DEADLINE_MS = 600_000
/** How long a migration waits for a table lock: everybody else's statements wait behind it. */
const LOCK_TIMEOUT_MS = 2000
/** How long the others then have their turn. */
const PAUSE_MS = 2000

const HELD =
  'The database is not up to date yet: another session holds a table of ours (pg_stat_activity shows which); another try follows'

export async function migratePostgres(calls: PostgresCalls, log: Pick<Logger, 'warn'>): Promise<void> {
  // Read first: the server's role may have no right to change the schema.
  const state = await schemaState(calls)
  refuseOtherSchema(state)
  if (state.version === SCHEMA_VERSION) return
  const remaining = startDeadline(MIGRATION_DEADLINE_MS)
  while (!(await tryToMigrate(calls, remaining))) {
    log.warn({ lockTimeoutMs: LOCK_TIMEOUT_MS, pauseMs: PAUSE_MS }, HELD)
    await sleep(PAUSE_MS)
  }
}

/** False if somebody held a lock that it needs: nothing was changed. After the deadline it throws instead. */
async function tryToMigrate(calls: PostgresCalls, remaining: () => number): Promise<boolean> {
  const begin = 'BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0'
  try {
    await calls.transaction(begin, (client) => migrateNow(calls, client, remaining), remaining)
    return true
  } catch (error) {
    if (!wasRolledBack(error) || remaining() < PAUSE_MS + LOCK_TIMEOUT_MS) throw error
    return false
  }
}

/** Names use every script. SQL_ASCII keeps bytes unchanged. */
const ENCODINGS = ['UTF8', 'SQL_ASCII']

// Only in the current schema: with search_path=site_b,public the tables in public belong to another site.
const FIND_TABLES = `SELECT (SELECT string_agg(attname::text, ',' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = to_regclass(quote_ident(current_schema()) || '.guildhall_schema') AND attnum > 0 AND NOT attisdropped) AS columns,
  current_schema() AS schema, getdatabaseencoding() AS encoding,
  (SELECT count(*)::int FROM pg_tables WHERE schemaname = current_schema() AND tablename IN (${OTHER_TABLES})) AS tables`
const COUNT_UNRELEASED = `SELECT count(*)::int AS found FROM information_schema.columns WHERE table_schema = current_schema()
  AND (table_name, column_name) IN (${UNRELEASED_COLUMNS.map(([table, column]) => `('${table}', '${column}')`).join(', ')})`

export async function schemaState(calls: PostgresCalls, on?: PostgresClient): Promise<SchemaState> {
  const ask = async (text: string): Promise<PostgresResult> => calls.ask(on, text, [])
  const { columns, tables, schema, encoding }: Partial<Record<'columns' | 'tables' | 'schema' | 'encoding', unknown>> =
    (await ask(FIND_TABLES)).rows[0] ?? {}
  if (schema === null) throw new UnfitDatabaseError('no_schema')
  if (!ENCODINGS.includes(String(encoding))) throw new UnfitDatabaseError('encoding', String(encoding))
  const found = { columns: typeof columns === 'string' ? columns : null, tables: Number(tables) }
  const state = schemaStateOf(found, hasVersion(found) ? (await ask(SELECT_SCHEMA)).rows[0] : undefined)
  if (state.version > 0 || state.isForeign) return state
  return { ...state, isUnreleased: onlyValue(await ask(COUNT_UNRELEASED)) === UNRELEASED_COLUMNS.length }
}

async function migrateNow(calls: PostgresCalls, client: PostgresClient, remaining: () => number): Promise<void> {
  const run = (text: string) => calls.ask(client, text, [], remaining())
  // If two processes start at once, one migrates and the other finds it done.
  await run("SELECT pg_advisory_xact_lock(hashtext('guildhall schema'))")
  // Only other migrations wait for that lock; from here on visitors may wait too.
  await run(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
  // Before the read: to_regclass alone would still return what this connection knew before it waited.
  await run(CREATE_SCHEMA_TABLE)
  const state = await schemaState(calls, client)
  refuseOtherSchema(state)
  for (const statement of statementsFrom(state.version)) await run(statement)
}

/** The value of a result with one row of one column. */
function onlyValue({ rows: [row] }: PostgresResult): unknown {
  return Object.values(row ?? {})[0]
}
