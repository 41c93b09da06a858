// The pg package, and one connection of it for work that is no request.
import { EventEmitter } from 'node:events'
import type { ClientConfig, Client as PgClient } from 'pg'
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
  const Client = closingClient(pg.Client)
  const client = withItsFiles(() => new Client(options))
  // A waiting call gets the error itself; without a listener, that of a connection that dies between two calls would end the process.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** An optional peer dependency, which SQLite does not need. */
export async function loadPg() {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    const missing = new Error('PostgreSQL needs the package pg beside guildhall: npm install pg', { cause: error })
    throw Object.assign(missing, { code: 'pg_missing' })
  })
  return pg
}

/** Where pg itself gives a login up, for want of a password, it leaves the connection to the server, which waits for a minute. */
export function closingClient(Client: typeof PgClient): typeof PgClient {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super(config)
      const { connection }: { readonly connection?: unknown } = this
      if (isConnection(connection)) connection.once('error', () => connection.stream.destroy())
    }
  }
}

function isConnection(value: unknown): value is EventEmitter & { readonly stream: { destroy(): void } } {
  return value instanceof EventEmitter && 'stream' in value
}

/** pg reads the files in a connection string (sslrootcert, sslcert, sslkey) only if it gets the string. */
export function withItsFiles<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Error && 'path' in error)) throw error
    const words = `The connection string names a file that cannot be read: ${String(error.path)} (sslrootcert, sslcert or sslkey)`
    throw Object.assign(new Error(words, { cause: error }), { code: 'pg_file' })
  }
}
