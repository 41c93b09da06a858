// The database in PostgreSQL: the same statements, on a bounded pool of the pg package.

import { BatchLoader } from '../../database/batch-loader.ts'
import { jitter } from '../../database/jitter.ts'
import { acquireLease } from '../../database/lease.ts'
import { PostgresCalls, wasRolledBack } from '../../database/postgres/calls.ts'
import { MOST_CONNECTIONS, openPool } from '../../database/postgres/pool.ts'
import { codeOf, type PostgresClient, type PostgresPool, withAsynchronousCommit } from '../../database/postgres/query.ts'
import { Semaphore } from '../../database/postgres/semaphore.ts'
import { DEADLINE_MS } from '../../database/timeout.ts'
import type { SqlValue } from '../../database/transaction.ts'
import { type Database, type StoredUser, UnexpectedRowCountError } from '../contract.ts'
import { NON_DURABLE, SqlCounters } from '../counters.ts'
import { requireSchema } from '../schema-state.ts'
import type { BoundStatement, Statement, StatementValues } from '../statement.ts'
import { BatchedCounters } from './batched-counters.ts'
import { migratePostgres, schemaState } from './migrate.ts'
import { findUsers, PostgresMembershipSessions } from './sessions.ts'

/** Connections that sessions alone may use: a storm of logins keeps nobody waiting who is logged in. */
const KEPT_FOR_SESSIONS = 3
/** How long a transaction may be silent: one whose process is gone holds its rows no longer than that. */
const IDLE_MS = 5000
/** How long a transaction waits for a row at least; not all for the same time, or those that wait for each other would give up together. */
const ROW_WAIT_MS = 30
const MOST_TRIES = 20
const UNIQUE_VIOLATION = '23505'
const LEASE = acquireLease('guildhall_leases', 'postgres')

/** Opens the database behind a connection string, or takes an open pool, which its owner closes. Connects at the first statement. */
export function openPostgres(database: string | PostgresPool): Database {
  if (typeof database !== 'string') return new PostgresDatabase(database, async () => {})
  const pool = openPool(database)
  return new PostgresDatabase(pool, () => pool.end())
}

class PostgresDatabase implements Database {
  readonly sessions: PostgresMembershipSessions
  readonly counters = new BatchedCounters(new SqlCounters(this))
  readonly #users: BatchLoader<StoredUser>
  readonly #calls: PostgresCalls
  readonly #lane: Semaphore
  readonly #end: () => Promise<void>

  constructor(pool: PostgresPool, end: () => Promise<void>) {
    this.#calls = new PostgresCalls(pool)
    this.#end = end
    this.#lane = new Semaphore(Math.max(1, (pool.options?.max ?? MOST_CONNECTIONS) - KEPT_FOR_SESSIONS))
    this.sessions = new PostgresMembershipSessions(pool)
    this.#users = new BatchLoader((ids) => findUsers(pool, ids))
  }

  /** On the connections that are kept for sessions. */
  findUser(id: string): Promise<StoredUser | undefined> {
    return this.#users.find(id)
  }

  async all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<readonly R[]> {
    const { sql, bind } = statement.compile('postgres')
    const text = NON_DURABLE.has(statement) ? withAsynchronousCommit(sql) : sql
    const { rows } = await this.#lane.run((remaining) => this.#calls.ask(undefined, text, bind(values), remaining()))
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
    return this.#lane.run((remaining) => this.#commit(statements, remaining))
  }

  lease(name: string, holder: string, now: number, until: number): Promise<boolean> {
    return this.#lane.run(
      async (remaining) => (await this.#calls.ask(undefined, LEASE, [name, holder, until, now], remaining())).rowCount === 1,
    )
  }

  async migrate(): Promise<void> {
    await migratePostgres(this.#calls)
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

  async #commit(statements: readonly BoundStatement[], remaining: () => number): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#calls.transaction(beginTransaction(), (client) => this.#take(client, statements, remaining), remaining)
      } catch (error) {
        if (!wasRolledBack(error) || tries === MOST_TRIES) throw error
      }
    }
  }

  async #take(client: PostgresClient, statements: readonly BoundStatement[], remaining: () => number): Promise<void> {
    for (const { name, expectRows, compile } of statements) {
      const touched = await this.#touched(client, { name, ...compile('postgres') }, remaining)
      if (expectRows !== undefined && touched !== expectRows)
        throw new UnexpectedRowCountError(name, { expected: expectRows, touched })
    }
  }

  /** How many rows it touched: none where another row is there already. */
  async #touched(
    client: PostgresClient,
    { name, sql, params }: { name: string; sql: string; params: SqlValue[] },
    remaining: () => number,
  ): Promise<number> {
    try {
      return (await this.#calls.ask(client, sql, params, remaining())).rowCount ?? 0
    } catch (error) {
      if (codeOf(error) === UNIQUE_VIOLATION) throw new UnexpectedRowCountError(name, { expected: 1, touched: 0 })
      throw error
    }
  }
}

/** The server gives up when we do: a statement that waits for a row writes nothing after its visitor was told that it failed. */
function beginTransaction(): string {
  const settings = [
    `statement_timeout = ${DEADLINE_MS}`,
    `lock_timeout = ${Math.round(ROW_WAIT_MS * (1 + jitter()))}`,
    `idle_in_transaction_session_timeout = ${IDLE_MS}`,
  ]
  return ['BEGIN', ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; ')
}
