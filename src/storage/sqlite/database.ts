// The database in one SQLite file: the same statements, on one synchronous connection.
import { acquireLease } from '../../database/lease.ts'
import { retryBlocking } from '../../database/sqlite/busy.ts'
import { SqliteConnection } from '../../database/sqlite/connection.ts'
import type { Awaitable } from '../../domain/awaitable.ts'
import type { Database, StoredUser } from '../contract.ts'
import { SqlCounters } from '../counters.ts'
import {
  CREATE_SCHEMA_TABLE,
  hasVersion,
  OTHER_TABLES,
  refuseOtherSchema,
  requireSchema,
  SCHEMA_VERSION,
  type SchemaState,
  SELECT_SCHEMA,
  schemaStateOf,
  statementsFrom,
  type TablesFound,
  UNRELEASED_COLUMNS,
} from '../schema-state.ts'
import { SqliteMembershipSessions } from '../sessions.ts'
import type { BoundStatement, Statement, StatementValues } from '../statement.ts'
import { findUserById } from '../users.ts'

const LEASE = acquireLease('guildhall_leases', 'sqlite')

/** Opens the database at `path`, or creates it; `:memory:` keeps nothing. No existing file is changed before `migrate`. */
export function openSqlite(path: string, { readOnly }: { readonly readOnly: boolean } = { readOnly: false }): Database {
  const connection = new SqliteConnection(path, { readOnly, walLater: true })
  try {
    // A file that is no database is refused at once.
    retryBlocking(() => schemaStateOn(connection))
  } catch (error) {
    connection.close()
    throw error
  }
  return new SqliteDatabase(connection)
}

class SqliteDatabase implements Database {
  readonly sessions: SqliteMembershipSessions
  readonly counters = new SqlCounters(this)
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
    this.sessions = new SqliteMembershipSessions(connection)
  }

  findUser(id: string): StoredUser | undefined {
    return this.first(findUserById, { id })
  }

  all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): readonly R[] {
    const { sql, bind } = statement.compile('sqlite')
    return statement.rows(this.#connection.all(sql, bind(values)))
  }

  first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): R | undefined {
    const { sql, bind } = statement.compile('sqlite')
    const row = this.#connection.first(sql, bind(values))
    return row && statement.rows([row])[0]
  }

  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): readonly R[] | Promise<readonly R[]> {
    return this.#connection.retrying(() => this.all(statement, values))
  }

  async transaction(statements: readonly BoundStatement[]): Promise<void> {
    const compiled = statements.map(({ name, expectRows, compile }) => ({ name, expectRows, ...compile('sqlite') }))
    await this.#connection.retrying(() => this.#connection.transaction(compiled, { durable: true }))
  }

  lease(name: string, holder: string, now: number, until: number): Awaitable<boolean> {
    return this.#connection.retrying(() => this.#connection.run(LEASE, [name, holder, until, now]).changes === 1)
  }

  async migrate(): Promise<void> {
    refuseOtherSchema(await this.#connection.retrying(() => schemaStateOn(this.#connection)))
    // Stored in the file, and not allowed in a transaction.
    this.#connection.useWal()
    await this.#connection.retrying(() => this.#migrateNow())
  }

  async check(): Promise<void> {
    requireSchema(schemaStateOn(this.#connection))
  }

  ready(): Promise<void> {
    return this.check()
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  /** Exclusive: if two processes start at once, one migrates and the other finds it done. */
  #migrateNow(): void {
    this.#connection.exclusively(() => {
      const state = schemaStateOn(this.#connection)
      refuseOtherSchema(state)
      if (state.version === SCHEMA_VERSION) return
      this.#connection.run(CREATE_SCHEMA_TABLE)
      for (const statement of statementsFrom(state.version)) this.#connection.run(statement)
    })
  }
}

const FIND_TABLES = `SELECT (SELECT group_concat(name) FROM pragma_table_info('guildhall_schema')) AS columns,
  (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (${OTHER_TABLES})) AS tables`
const COUNT_UNRELEASED = `SELECT count(*) FROM (${UNRELEASED_COLUMNS.map(
  ([table, column]) => `SELECT 1 FROM pragma_table_info('${table}') WHERE name = '${column}'`,
).join(' UNION ALL ')})`

/** Reads nothing else in the file: `PRAGMA user_version` belongs to the application. */
function schemaStateOn(connection: SqliteConnection): SchemaState {
  const found = connection.first<TablesFound>(FIND_TABLES) ?? { columns: null, tables: 0 }
  const state = schemaStateOf(found, hasVersion(found) ? connection.first(SELECT_SCHEMA) : undefined)
  if (state.version > 0 || state.isForeign) return state
  return { ...state, isUnreleased: connection.values(COUNT_UNRELEASED)?.[0] === UNRELEASED_COLUMNS.length }
}
