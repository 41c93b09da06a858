// The database in PostgreSQL: the same statements, on a bounded pool of the pg package.
import { DEADLINE_MS, within } from '../session/deadline.ts'
import {
  asUnavailable,
  type PostgresClient,
  type PostgresPool,
  type PostgresQuery,
  type PostgresResult,
  TYPES,
} from '../session/postgres.ts'
import { type Database, StepMissed } from './contract.ts'
import { SqlCounters } from './counters.ts'
import { migrations, OtherSchema, SCHEMA_VERSION } from './migrations.ts'
import { PostgresMembershipSessions } from './postgres-sessions.ts'
import { compilerFor, type Statement, type StatementValues, type Step } from './statement.ts'

/** How many connections a process holds at most. PostgreSQL allows 100 in all unless it is told otherwise. */
const MOST_CONNECTIONS = 10
const IDLE_MS = 10_000
/** Migrations wait for one another; they are not part of a request. */
const MIGRATION_DEADLINE_MS = 600_000
/** Two units of work that wait for each other's rows: one is rolled back whole, and may try again. */
const ROLLED_BACK = new Set(['40001', '40P01'])
const MOST_TRIES = 5
const UNIQUE_VIOLATION = '23505'

type ClosablePool = PostgresPool & { end?(): Promise<void> }

/** Opens the database behind a connection string, or takes an open pool, which its owner closes. Connects at the first statement. */
export function openPostgres(database: string | PostgresPool): Database {
  if (typeof database !== 'string') return new PostgresDatabase(database, async () => {})
  const pool = new LazyPool(database)
  return new PostgresDatabase(pool, () => pool.end())
}

/** Loads pg when it is needed first: it is an optional peer, and nobody on SQLite has it. */
class LazyPool implements PostgresPool {
  readonly #connectionString: string
  #opening: Promise<ClosablePool> | undefined

  constructor(connectionString: string) {
    this.#connectionString = connectionString
  }

  async query(config: PostgresQuery): Promise<PostgresResult> {
    return (await this.#open()).query(config)
  }

  async connect(): Promise<PostgresClient> {
    return (await this.#open()).connect()
  }

  async end(): Promise<void> {
    await (await this.#opening)?.end?.()
  }

  #open(): Promise<ClosablePool> {
    this.#opening ??= openPool(this.#connectionString)
    return this.#opening
  }
}

async function openPool(connectionString: string): Promise<ClosablePool> {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    const missing = new Error('PostgreSQL needs the package pg beside guildhall: npm install pg', { cause: error })
    throw Object.assign(missing, { code: 'pg_missing' })
  })
  const pool = new pg.Pool({
    connectionString,
    max: MOST_CONNECTIONS,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: DEADLINE_MS,
    keepAlive: true,
    allowExitOnIdle: true,
  })
  // A connection that dies while nobody uses it is replaced by the next query; unheard, its error would end the process.
  pool.on('error', () => {})
  return pool
}

class PostgresDatabase implements Database {
  readonly sessions: PostgresMembershipSessions
  readonly counters = new SqlCounters(this)
  readonly #pool: PostgresPool
  readonly #end: () => Promise<void>

  constructor(pool: PostgresPool, end: () => Promise<void>) {
    this.#pool = pool
    this.#end = end
    this.sessions = new PostgresMembershipSessions(pool)
  }

  async all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Promise<readonly R[]> {
    const { sql, bind } = statement.compile('postgres')
    const { rows } = await this.#ask(this.#pool, sql, bind(values))
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

  async commit(steps: readonly Step[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#transaction((client) => this.#take(client, steps))
      } catch (error) {
        if (tries === MOST_TRIES || !ROLLED_BACK.has(codeOf(error))) throw error
      }
    }
  }

  async migrate(): Promise<void> {
    // First a look: the role of the server need not be allowed to change the schema.
    if ((await this.#version()) === SCHEMA_VERSION) return
    await this.#transaction((client) => this.#migrateNow(client), MIGRATION_DEADLINE_MS)
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

  async #take(client: PostgresClient, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const { sql, params } = step.compile('postgres')
      const touched = await this.#touched(client, { name: step.name, sql, params })
      if (step.touches !== undefined && touched !== step.touches) {
        throw new StepMissed(step.name, { expected: step.touches, touched })
      }
    }
  }

  /** How many rows a step touched: none where another process took the name first. */
  async #touched(
    client: PostgresClient,
    { name, sql, params }: { name: string; sql: string; params: unknown[] },
  ): Promise<number> {
    try {
      return (await this.#ask(client, sql, params)).rowCount ?? 0
    } catch (error) {
      if (codeOf(error) === UNIQUE_VIOLATION) throw new StepMissed(name, { expected: 1, touched: 0 })
      throw error
    }
  }

  async #migrateNow(client: PostgresClient): Promise<void> {
    const run = (text: string) => this.#ask(client, text, [], MIGRATION_DEADLINE_MS)
    // Of two processes that start at once one migrates and the other finds the work done.
    await run("SELECT pg_advisory_xact_lock(hashtext('guildhall schema'))")
    await run('CREATE TABLE IF NOT EXISTS guildhall_schema (version integer NOT NULL)')
    const version = await this.#version(client)
    if (version > SCHEMA_VERSION) throw new OtherSchema(version)
    for (const migration of migrations.slice(version)) {
      for (const statement of migration.statements(compilerFor('postgres'))) await run(statement.compile().sql)
    }
    await run('DELETE FROM guildhall_schema')
    await run(`INSERT INTO guildhall_schema (version) VALUES (${SCHEMA_VERSION})`)
  }

  async #version(on: PostgresPool | PostgresClient = this.#pool): Promise<number> {
    const known = await this.#ask(on, "SELECT to_regclass('guildhall_schema') IS NOT NULL AS known", [])
    if (known.rows[0]?.known !== true) return 0
    const { rows } = await this.#ask(on, 'SELECT version FROM guildhall_schema', [])
    return Number(rows[0]?.version ?? 0)
  }

  /** All or nothing. A connection whose state nobody knows is closed. */
  async #transaction(work: (client: PostgresClient) => Promise<void>, deadlineMs: number = DEADLINE_MS): Promise<void> {
    const client = await within('PostgreSQL', this.#pool.connect()).catch((error: unknown) => {
      throw asUnavailable(error)
    })
    try {
      await this.#ask(client, 'BEGIN', [])
      await work(client)
      await this.#ask(client, 'COMMIT', [], deadlineMs)
    } catch (error) {
      const rolledBack = await this.#ask(client, 'ROLLBACK', []).then(
        () => true,
        () => false,
      )
      client.release(!rolledBack)
      throw error
    }
    client.release()
  }

  async #ask(
    on: PostgresPool | PostgresClient,
    text: string,
    values: unknown[],
    deadlineMs: number = DEADLINE_MS,
  ): Promise<PostgresResult> {
    try {
      return await within('PostgreSQL', on.query({ text, values, types: TYPES }), deadlineMs)
    } catch (error) {
      throw asUnavailable(error)
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
