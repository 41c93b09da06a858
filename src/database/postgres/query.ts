// Statements on a pool of the pg package: bounded in time, one error for a server that is away.
import { isError } from '../../domain/builtins.ts'
import { CONNECTION_DEADLINE_MS, StoreUnavailableError, withTimeout } from '../timeout.ts'
import { explainRefusedLogin } from './refused-login.ts'

/** As much of pg's Pool as is used. `new pg.Pool(...)` fits. */
export interface PostgresPool {
  query(config: PostgresQuery): Promise<PostgresResult>
  connect(): Promise<PostgresClient>
  readonly options?: { readonly max?: number | undefined }
}

export interface PostgresClient {
  query(config: PostgresQuery): Promise<PostgresResult>
  /** Gives the connection back; with an error it is closed. */
  release(error?: Error | boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
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
  /** Milliseconds. A connection that has not answered by then is closed by the pool: it would never come back by itself. */
  readonly query_timeout?: number
}

export interface PostgresResult {
  readonly rows: readonly unknown[]
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

export interface Values {
  readonly rows: readonly (readonly unknown[])[]
  readonly rowCount: number
}

/** One statement outside any transaction. Values come in the order of the columns. */
export async function runOn(pool: PostgresPool, text: string, values: unknown[] = []): Promise<Values> {
  try {
    const query = { text, values, rowMode: 'array', types: TYPES, query_timeout: CONNECTION_DEADLINE_MS } as const
    const { rows, rowCount } = await withTimeout('PostgreSQL', pool.query(query))
    return { rows: rows.filter((row) => Array.isArray(row)), rowCount: rowCount ?? 0 }
  } catch (error) {
    throw asUnavailable(error)
  }
}

/** The text of an array of texts. A null character, which PostgreSQL cannot store, becomes U+FFFD: no key has either. */
export function arrayOf(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\0', '\ufffd').replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/**
 * A write that does not wait for the disk: a crash of PostgreSQL may take its last half second back. The condition is judged first,
 * and counts for this statement's own commit alone.
 */
export function withAsynchronousCommit(sql: string): string {
  const returns = / returning /i.test(sql)
  const done = returns ? sql : `${sql} RETURNING 1`
  return `WITH done AS (${done}) SELECT done.* FROM done WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off'`
}

/**
 * Nobody's mistake in a statement: connection lost (08), not let in (28, 3D), gave way to another transaction (40), resources (53),
 * locked (55), shutting down or out of time (57), system and internal errors (58, XX), read only.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const NOT_THERE = /^(?:08|28|3D|40|53|55|57|58|XX|25006)/
const NETWORK = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/
/** pg's own messages have no code: a connection that ended, a pool that gave none in time. */
const LOST =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (?:has encountered|was closed)|Cannot use a pool after|The server does not support SSL)/

/** A certificate that is not trusted, or for another name. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const BAD_TLS = /CERT|ERR_TLS|ERR_SSL|LEAF_SIGNATURE/

/** The error of a server that is not there, in our words; others as they are. */
export function asUnavailable(error: unknown): unknown {
  if (!isError(error) || error instanceof StoreUnavailableError) return error
  const code = codeOf(error)
  const refused = explainRefusedLogin(code, error.message)
  if (refused !== undefined) return new StoreUnavailableError(refused, error)
  const isThere =
    !LOST.test(error.message) && ![NOT_THERE, NETWORK, BAD_TLS].some((codes) => codes.test(code)) && !isConnecting(error)
  return isThere ? error : new StoreUnavailableError('PostgreSQL cannot be reached', error)
}

/** The file of a socket may fail as any file does. */
function isConnecting(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'connect'
}

/** Whether somebody stopped waiting for an answer that may still come. */
export function isLate(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return error.cause === undefined
  return isError(error) && error.message === 'Query read timeout'
}

export function codeOf(error: unknown): string {
  return isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
