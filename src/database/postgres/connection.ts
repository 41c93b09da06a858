// The pg package, and one connection of it for work that is no request.
import type { PostgresQuery, PostgresResult } from './query.ts'

const LONG_DEADLINE_MS = 600_000
const LONG_CONNECTION_DEADLINE_MS = 10_000

/** Its statements may take minutes. */
export interface OwnConnection {
  query(config: PostgresQuery): Promise<PostgresResult>
  end(): Promise<void>
}

export async function openConnection(connectionString: string): Promise<OwnConnection> {
  const pg = await loadPg()
  const connectionTimeoutMillis = LONG_CONNECTION_DEADLINE_MS
  const options = { connectionString, connectionTimeoutMillis, query_timeout: LONG_DEADLINE_MS, keepAlive: true }
  const client = withItsFiles(() => new pg.Client(options))
  // The waiting call reports it; without a listener, the error of a connection that dies between two calls would end the process.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** An optional peer dependency: users of SQLite do not have it. */
export async function loadPg() {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    const missing = new Error('PostgreSQL needs the package pg beside guildhall: npm install pg', { cause: error })
    throw Object.assign(missing, { code: 'pg_missing' })
  })
  return pg
}

/** pg reads the files that a connection string names (sslrootcert, sslcert, sslkey) when it gets the string. */
export function withItsFiles<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Error && 'path' in error)) throw error
    const words = `The connection string names a file that cannot be read: ${String(error.path)} (sslrootcert, sslcert or sslkey)`
    throw Object.assign(new Error(words, { cause: error }), { code: 'pg_file' })
  }
}
