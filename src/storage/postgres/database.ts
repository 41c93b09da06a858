// The database in PostgreSQL: the same statements, on a bounded pool of the pg package.

import { BatchLoader } from '../../database/batch-loader.ts'
import { acquireLease } from '../../database/lease.ts'
import { PostgresCalls } from '../../database/postgres/calls.ts'
import { MAX_CONNECTIONS, openPool } from '../../database/postgres/pool.ts'
import { type PostgresPool, withAsynchronousCommit } from '../../database/postgres/query.ts'
import { Semaphore } from '../../database/postgres/semaphore.ts'
import { runTransaction } from '../../database/postgres/transaction.ts'
import type { Logger } from '../../domain/logger.ts'
import type { Database, StoredUser } from '../contract.ts'
import { NON_DURABLE, SqlCounters } from '../counters.ts'
import { requireSchema } from '../schema-state.ts'
import type { BoundStatement, Statement, StatementValues } from '../statement.ts'
import { migratePostgres, schemaState } from './migrate.ts'
import { findUsers, PostgresMembershipSessions } from './sessions.ts'

/** Connections for sessions alone: a storm of logins must not make logged-in people wait. */
const KEPT_FOR_SESSIONS = 3
const SILENT = { warn() {} }
const LEASE = acquireLease('guildhall_leases', 'postgres')

/** Opens the database behind a connection string, or takes an open pool, which its owner closes. Connects at the first statement. */
export function openPostgres(database: string | PostgresPool, log: Pick<Logger, 'warn'> = SILENT): Database {
  if (typeof database !== 'string') return new PostgresDatabase(database, log, async () => {})
  const pool = openPool(database)
  return new PostgresDatabase(pool, log, () => pool.end())
}

class PostgresDatabase implements Database {
  readonly sessions: PostgresMembershipSessions
  readonly counters = new SqlCounters(this)
  readonly #users: BatchLoader<StoredUser>
  readonly #calls: PostgresCalls
  readonly #semaphore: Semaphore
  readonly #log: Pick<Logger, 'warn'>
  readonly #end: () => Promise<void>

  constructor(pool: PostgresPool, log: Pick<Logger, 'warn'>, end: () => Promise<void>) {
    this.#log = log
    this.#calls = new PostgresCalls(pool)
    this.#end = end
    this.#semaphore = new Semaphore(Math.max(1, (pool.options?.max ?? MAX_CONNECTIONS) - KEPT_FOR_SESSIONS))
    this.sessions = new PostgresMembershipSessions(pool)
    this.#users = new BatchLoader((ids) => findUsers(pool, ids))
  }

  /** Uses the connections that are kept for sessions. */
  findUser(id: string): Promise<StoredUser | undefined> {
    return this.#users.find(id)
  }

  async all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<readonly R[]> {
    const { sql, bind } = statement.compile('postgres')
    const text = NON_DURABLE.has(statement) ? withAsynchronousCommit(sql) : sql
    const { rows } = await this.#semaphore.run((remaining) => this.#calls.ask(undefined, text, bind(values), remaining()))
    return statement.rows(rows)
  }

  async first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<R | undefined> {
    const [row] = await this.all(statement, values)
    return row
  }

  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<readonly R[]> {
    return this.all(statement, values)
  }

  transaction(statements: readonly BoundStatement[]): Promise<void> {
    const compiled = statements.map(({ name, expectRows, compile }) => ({ name, expectRows, ...compile('postgres') }))
    return this.#semaphore.run((remaining) => runTransaction(this.#calls, compiled, remaining))
  }

  lease(name: string, holder: string, now: number, until: number): Promise<boolean> {
    return this.#semaphore.run(
      async (remaining) => (await this.#calls.ask(undefined, LEASE, [name, holder, until, now], remaining())).rowCount === 1,
    )
  }

  async migrate(): Promise<void> {
    await migratePostgres(this.#calls, this.#log)
  }

  async check(): Promise<void> {
    requireSchema(await schemaState(this.#calls))
  }

  ready(): Promise<void> {
    return this.check()
  }

  close(): Promise<void> {
    return this.#end()
  }
}
