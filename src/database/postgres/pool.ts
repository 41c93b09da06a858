// A bounded pool of the pg package behind a connection string.
import { isError } from '../../domain/builtins.ts'
import { CONNECTION_DEADLINE_MS } from '../timeout.ts'
import { cancel } from './cancel.ts'
import { closingClient, loadPg, withItsFiles } from './connection.ts'
import { isLate, type PostgresClient, type PostgresPool, type PostgresQuery, type PostgresResult } from './query.ts'
import { MAX_WAITING, tooMuch } from './semaphore.ts'

/** The most connections of one process. PostgreSQL allows 100 in all by default. */
export const MAX_CONNECTIONS = 10
const IDLE_MS = 10_000

interface OwnPool extends PostgresPool {
  /** Waits for running calls; may be called again. */
  end(): Promise<void>
}

interface LoadedPool {
  /** How many calls wait for a connection. */
  readonly waitingCount: number
  connect(done: (error: Error | undefined, client: PostgresClient | undefined) => void): void
  end(): Promise<void>
}

/** Loads pg at first use: it is an optional peer dependency. */
export function openPool(connectionString: string): OwnPool {
  let opening: Promise<LoadedPool> | undefined
  let ending: Promise<void> | undefined
  const open = () => {
    opening ??= load(connectionString)
    return opening
  }
  const connect = async () => takeFrom(await open())
  return {
    query: async (config: PostgresQuery): Promise<PostgresResult> => askOn(await connect(), config),
    connect,
    end() {
      ending ??= Promise.resolve(opening).then(
        (pool) => pool?.end(),
        () => {},
      )
      return ending
    },
  }
}

function takeFrom(pool: LoadedPool): Promise<PostgresClient> {
  if (pool.waitingCount >= MAX_WAITING) throw tooMuch()
  return new Promise((resolve, reject) => {
    const take = (error: Error | undefined, client: PostgresClient | undefined) => {
      if (client === undefined) return reject(error)
      // The pool has just stopped listening, and the next message may lie in the same packet.
      client.on('error', ignoreError)
      resolve(withCancel(client))
    }
    withItsFiles(() => pool.connect(take))
  })
}

/** When a connection is closed while its statement runs, the statement is cancelled too. */
function withCancel(client: PostgresClient): PostgresClient {
  const release = (error?: Error | boolean): void => {
    client.removeListener('error', ignoreError)
    client.release(error)
  }
  return {
    query: (config) => client.query(config),
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
    release(error) {
      if (isLate(error)) void cancel(client).then(() => release(error))
      else release(error)
    },
  }
}

/** One statement on a connection of its own, as pg's pool runs it. */
async function askOn(client: PostgresClient, config: PostgresQuery): Promise<PostgresResult> {
  try {
    const result = await client.query(config)
    client.release()
    return result
  } catch (error) {
    client.release(isError(error) ? error : true)
    throw error
  }
}

/** Every call reports its own failure; without a listener, the error of a connection would end the process. */
function ignoreError(): void {}

async function load(connectionString: string): Promise<LoadedPool> {
  const pg = await loadPg()
  const pool = new pg.Pool({
    connectionString,
    max: MAX_CONNECTIONS,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: CONNECTION_DEADLINE_MS,
    keepAlive: true,
    allowExitOnIdle: true,
    Client: closingClient(pg.Client),
  })
  // A connection that dies while idle is replaced by the next query; without a listener, its error would end the process.
  pool.on('error', () => {})
  return pool
}
