// Statements on a PostgreSQL pool of the pg package: bounded in time, and with one error for a server that is not there.
import { StoreUnavailable, within } from './deadline.ts'

/** As much of pg's Pool as is used. `new pg.Pool(...)` fits. */
export interface PostgresPool {
  query(config: PostgresQuery): Promise<PostgresResult>
  connect(): Promise<PostgresClient>
}

export interface PostgresClient {
  query(config: PostgresQuery): Promise<PostgresResult>
  /** Gives the connection back; with an error it is closed. */
  release(error?: Error | boolean): void
}

export interface ValueTypes {
  getTypeParser(oid: number): (text: string) => unknown
}

export interface PostgresQuery {
  readonly text: string
  readonly values?: unknown[]
  readonly rowMode?: 'array'
  /** How values are read; pg would give bigint as text. */
  readonly types?: ValueTypes
}

export interface PostgresResult {
  // oxlint-disable-next-line typescript/no-explicit-any -- pg's own type; every row is read value by value.
  readonly rows: any[]
  readonly rowCount: number | null
}

const BOOL = 16 // https://www.postgresql.org/docs/current/catalog-pg-type.html: pg_type.oid
const NUMBERS = new Set([20, 21, 23])

/** Every bigint of ours is a time or a count, and fits a number. */
export const TYPES: ValueTypes = {
  getTypeParser(oid) {
    if (NUMBERS.has(oid)) return Number
    return oid === BOOL ? (text) => text === 't' : (text) => text
  },
}

/** One statement outside any transaction. Values come in the order of the columns. */
export async function runOn(pool: PostgresPool, text: string, values: unknown[] = []): Promise<PostgresResult> {
  try {
    return await within('PostgreSQL', pool.query({ text, values, rowMode: 'array', types: TYPES }))
  } catch (error) {
    throw asUnavailable(error)
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: connection lost, resources, shutdown, cannot connect now, read only. */
const NOT_THERE = /^(?:08|53|57P0|25006)/
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** The error of a server that is not there, in our words; others as they are. */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // pg's own messages have no code: a connection that ended, a pool that gave none in time.
  const isLost =
    /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered)/.test(
      error.message,
    )
  return isLost || NOT_THERE.test(code) || NETWORK.has(code) ? new StoreUnavailable('PostgreSQL cannot be reached', error) : error
}
