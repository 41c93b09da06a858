// Statements and transactions on a pool of connections: bounded in time, nothing left half done.
import { isError } from '../../domain/builtins.ts'
import { CONNECTION_DEADLINE_MS, DEADLINE_MS, StoreUnavailableError, withTimeout } from '../timeout.ts'
import type { SqlValue } from '../transaction.ts'
import { asUnavailable, codeOf, type PostgresClient, type PostgresPool, type PostgresResult, TYPES } from './query.ts'

/** Rolled back whole, so it may be tried again: two transactions waited for each other's rows. PostgreSQL itself looks for that after a second. */
const ROLLED_BACK = new Set(['40001', '40P01', '55P03'])

export class PostgresCalls {
  readonly #pool: PostgresPool

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  /** All or nothing, before the deadline. */
  async transaction(
    begin: string,
    work: (client: PostgresClient, remaining: () => number) => Promise<void>,
    remaining: () => number,
  ): Promise<void> {
    const client = await this.#connect(remaining())
    try {
      await this.ask(client, begin, [], remaining())
      await work(client, remaining)
      await this.ask(client, 'COMMIT', [], remaining())
    } catch (error) {
      await this.#release(client, error)
      throw error
    }
    client.removeListener('error', ignoreError)
    client.release()
  }

  async #connect(deadlineMs: number): Promise<PostgresClient> {
    const connecting = this.#pool.connect()
    try {
      const client = await withTimeout('PostgreSQL', connecting, deadlineMs)
      // A connection that dies between two statements emits an error; without a listener it would end the process.
      client.on('error', ignoreError)
      return client
    } catch (error) {
      // A connection that comes too late goes back to the pool: nobody else would return it.
      connecting.then(
        (client) => client.release(),
        () => {},
      )
      throw asUnavailable(error)
    }
  }

  /** A connection in an unknown state is closed, which rolls back what it had begun. */
  async #release(client: PostgresClient, error: unknown): Promise<void> {
    const isLost = error instanceof StoreUnavailableError && !wasRolledBack(error)
    const rolledBack = !isLost && (await this.ask(client, 'ROLLBACK', []).then(yes, no))
    client.removeListener('error', ignoreError)
    client.release(rolledBack ? false : lossOf(error))
  }

  /** One statement on this connection, or on any. */
  async ask(
    on: PostgresClient | undefined,
    text: string,
    values: readonly SqlValue[],
    deadlineMs: number = DEADLINE_MS,
  ): Promise<PostgresResult> {
    // Nothing starts whose outcome nobody waits for, least of all a COMMIT.
    if (deadlineMs <= 0) throw new StoreUnavailableError('PostgreSQL did not answer in time')
    try {
      const query = {
        text,
        values: values.map(storable),
        types: TYPES,
        query_timeout: Math.max(CONNECTION_DEADLINE_MS, deadlineMs),
      }
      return await withTimeout('PostgreSQL', (on ?? this.#pool).query(query), deadlineMs)
    } catch (error) {
      throw asUnavailable(error)
    }
  }
}

/** Whether it was rolled back as a whole, and may be tried again. */
export function wasRolledBack(error: unknown): boolean {
  return error instanceof StoreUnavailableError && ROLLED_BACK.has(codeOf(error.cause))
}

/** PostgreSQL's text has no null character: a name with one belongs to nobody. */
function storable(value: SqlValue): SqlValue {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
}

/** A pool keeps a connection that is released with anything but an Error. */
function lossOf(error: unknown): Error {
  return isError(error) ? error : new Error('lost', { cause: error })
}

function ignoreError(): void {}
const yes = () => true
const no = () => false
