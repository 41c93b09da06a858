// The database in PostgreSQL: the same statements, on a bounded pool of the pg package.
import { CONNECTION_DEADLINE_MS, countdown, DEADLINE_MS, StoreUnavailable, within } from '../../session/deadline.ts'
import { Gathering } from '../../session/gathering.ts'
import { spread } from '../../session/jitter.ts'
import {
  asUnavailable,
  codeOf,
  type PostgresClient,
  type PostgresPool,
  type PostgresResult,
  TYPES,
  withoutDisk,
} from '../../session/postgres.ts'
import { type Database, StepMissed, type UserRow } from '../contract.ts'
import { MAY_BE_LOST, SqlCounters } from '../counters.ts'
import { migrations, OtherSchema, SCHEMA_VERSION } from '../migrations.ts'
import { compilerFor, type SqlValue, type Statement, type StatementValues, type Step } from '../statement.ts'
import { CounterTurns } from './counter-turns.ts'
import { Lane } from './lane.ts'
import { MOST_CONNECTIONS, openPool } from './pool.ts'
import { findUsers, PostgresMembershipSessions } from './sessions.ts'

/** Connections that sessions alone may use: a storm of logins keeps nobody waiting who is logged in. */
const KEPT_FOR_SESSIONS = 3
/** Migrations wait for one another; they are not part of a request. */
const MIGRATION_DEADLINE_MS = 600_000
/** How long a transaction may be silent: one whose process is gone holds its rows no longer than that. */
const IDLE_MS = 5000
/** Rolled back whole, so it may try again: two units of work that waited for each other's rows. PostgreSQL itself looks after a second. */
const ROLLED_BACK = new Set(['40001', '40P01', '55P03'])
/** How long a unit of work waits for a row at least; not all for the same time, or those that wait for each other would give up together. */
const ROW_WAIT_MS = 30
const MOST_TRIES = 20
const UNIQUE_VIOLATION = '23505'

/** Opens the database behind a connection string, or takes an open pool, which its owner closes. Connects at the first statement. */
export function openPostgres(database: string | PostgresPool): Database {
  if (typeof database !== 'string') return new PostgresDatabase(database, async () => {})
  const pool = openPool(database)
  return new PostgresDatabase(pool, () => pool.end())
}

class PostgresDatabase implements Database {
  readonly sessions: PostgresMembershipSessions
  readonly counters = new CounterTurns(new SqlCounters(this))
  readonly #users: Gathering<UserRow>
  readonly #pool: PostgresPool
  readonly #lane: Lane
  readonly #end: () => Promise<void>

  constructor(pool: PostgresPool, end: () => Promise<void>) {
    this.#pool = pool
    this.#end = end
    this.#lane = new Lane(Math.max(1, (pool.options?.max ?? MOST_CONNECTIONS) - KEPT_FOR_SESSIONS))
    this.sessions = new PostgresMembershipSessions(pool)
    this.#users = new Gathering((ids) => findUsers(pool, ids))
  }

  /** On the connections that are kept for sessions. */
  findUser(id: string): Promise<UserRow | undefined> {
    return this.#users.find(id)
  }

  async all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<readonly R[]> {
    const { sql, bind } = statement.compile('postgres')
    const text = MAY_BE_LOST.has(statement) ? withoutDisk(sql) : sql
    const { rows } = await this.#lane.run((left) => this.#ask(this.#pool, text, bind(values), left()))
    // Kysely's type of a row, which the columns of the schema give it.
    return rows as readonly R[]
  }

  async first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<R | undefined> {
    const [row] = await this.all(statement, values)
    return row
  }

  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<readonly R[]> {
    return this.all(statement, values)
  }

  commit(steps: readonly Step[]): Promise<void> {
    return this.#lane.run((left) => this.#commit(steps, left))
  }

  async migrate(): Promise<void> {
    // First a look: the role of the server need not be allowed to change the schema.
    if ((await this.#version()) === SCHEMA_VERSION) return
    const begin = 'BEGIN; SET LOCAL statement_timeout = 0'
    await this.#transaction(begin, (client, left) => this.#migrateNow(client, left), countdown(MIGRATION_DEADLINE_MS))
  }

  async check(): Promise<void> {
    const version = await this.#version()
    if (version !== SCHEMA_VERSION) throw new OtherSchema(version)
  }

  ready(): Promise<void> {
    return this.check()
  }

  close(): Promise<void> {
    return this.#end()
  }

  async #commit(steps: readonly Step[], left: () => number): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#transaction(beginUnit(), (client) => this.#take(client, steps, left), left)
      } catch (error) {
        const mayTryAgain = error instanceof StoreUnavailable && ROLLED_BACK.has(codeOf(error.cause)) && tries < MOST_TRIES
        if (!mayTryAgain) throw error
      }
    }
  }

  async #take(client: PostgresClient, steps: readonly Step[], left: () => number): Promise<void> {
    for (const step of steps) {
      const { sql, params } = step.compile('postgres')
      const touched = await this.#touched(client, { name: step.name, sql, params }, left)
      if (step.touches !== undefined && touched !== step.touches) {
        throw new StepMissed(step.name, { expected: step.touches, touched })
      }
    }
  }

  /** How many rows a step touched: none where another process took the name first. */
  async #touched(
    client: PostgresClient,
    { name, sql, params }: { name: string; sql: string; params: SqlValue[] },
    left: () => number,
  ): Promise<number> {
    try {
      return (await this.#ask(client, sql, params, left())).rowCount ?? 0
    } catch (error) {
      if (codeOf(error) === UNIQUE_VIOLATION) throw new StepMissed(name, { expected: 1, touched: 0 })
      throw error
    }
  }

  async #migrateNow(client: PostgresClient, left: () => number): Promise<void> {
    const run = (text: string) => this.#ask(client, text, [], left())
    // Of two processes that start at once one migrates and the other finds the work done.
    await run("SELECT pg_advisory_xact_lock(hashtext('guildhall schema'))")
    // Before the look: to_regclass alone would still answer from what this connection knew before it waited.
    await run('CREATE TABLE IF NOT EXISTS guildhall_schema (version integer NOT NULL)')
    const version = await this.#version(client)
    if (version === SCHEMA_VERSION) return
    if (version > SCHEMA_VERSION) throw new OtherSchema(version)
    for (const migration of migrations.slice(version)) {
      for (const statement of migration.statements(compilerFor('postgres'))) await run(statement.compile().sql)
    }
    await run('DELETE FROM guildhall_schema')
    await run(`INSERT INTO guildhall_schema (version) VALUES (${SCHEMA_VERSION})`)
  }

  async #version(on: PostgresPool | PostgresClient = this.#pool): Promise<number> {
    if (onlyValue(await this.#ask(on, "SELECT to_regclass('guildhall_schema') IS NOT NULL", [])) !== true) return 0
    return Number(onlyValue(await this.#ask(on, 'SELECT version FROM guildhall_schema', [])) ?? 0)
  }

  /** All or nothing, before the time is over. */
  async #transaction(
    begin: string,
    work: (client: PostgresClient, left: () => number) => Promise<void>,
    left: () => number,
  ): Promise<void> {
    const client = await this.#connect(left())
    try {
      await this.#ask(client, begin, [], left())
      await work(client, left)
      await this.#ask(client, 'COMMIT', [], left())
    } catch (error) {
      await this.#giveBack(client, error)
      throw error
    }
    client.removeListener('error', hear)
    client.release()
  }

  async #connect(deadlineMs: number): Promise<PostgresClient> {
    const connecting = this.#pool.connect()
    try {
      const client = await within('PostgreSQL', connecting, deadlineMs)
      // A connection that dies between two statements says so to whoever holds it; unheard, its error would end the process.
      client.on('error', hear)
      return client
    } catch (error) {
      // One that comes too late goes back: nobody else would give it to the pool.
      connecting.then(
        (client) => client.release(),
        () => {},
      )
      throw asUnavailable(error)
    }
  }

  /** A connection whose state nobody knows is closed, which rolls back what it had begun. */
  async #giveBack(client: PostgresClient, error: unknown): Promise<void> {
    const isLost = error instanceof StoreUnavailable && !ROLLED_BACK.has(codeOf(error.cause))
    const rolledBack = !isLost && (await this.#ask(client, 'ROLLBACK', []).then(yes, no))
    client.removeListener('error', hear)
    client.release(rolledBack ? false : lossOf(error))
  }

  async #ask(
    on: PostgresPool | PostgresClient,
    text: string,
    values: SqlValue[],
    deadlineMs: number = DEADLINE_MS,
  ): Promise<PostgresResult> {
    // Nothing is begun whose outcome nobody waits for: least of all a COMMIT.
    if (deadlineMs <= 0) throw new StoreUnavailable('PostgreSQL did not answer in time')
    try {
      const query = {
        text,
        values: values.map(storable),
        types: TYPES,
        query_timeout: Math.max(CONNECTION_DEADLINE_MS, deadlineMs),
      }
      return await within('PostgreSQL', on.query(query), deadlineMs)
    } catch (error) {
      throw asUnavailable(error)
    }
  }
}

/** PostgreSQL's text has no null character. Whatever holds one is a name that nobody has. */
function storable(value: SqlValue): SqlValue {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
}

/** The server gives up when we do: a statement that waits for a row writes nothing after its visitor was told that it failed. */
function beginUnit(): string {
  const settings = [
    `statement_timeout = ${DEADLINE_MS}`,
    `lock_timeout = ${Math.round(ROW_WAIT_MS * (1 + spread()))}`,
    `idle_in_transaction_session_timeout = ${IDLE_MS}`,
  ]
  return ['BEGIN', ...settings.map((setting) => `SET LOCAL ${setting}`)].join('; ')
}

/** Of a result with one row of one column. */
function onlyValue({ rows: [row] }: PostgresResult): unknown {
  return Object.values(row ?? {})[0]
}

/** A pool keeps what is given back with anything that is no error. */
function lossOf(error: unknown): Error {
  return error instanceof Error ? error : new Error('lost', { cause: error })
}

function hear(): void {}
const yes = () => true
const no = () => false
