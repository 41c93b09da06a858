// Counters in SQL, changed by compare-and-swap.
import type { Counters, Database } from './contract.ts'
import { statement } from './statement.ts'

const findCounter = statement('find counter', (db, p: { key: string }) =>
  db.selectFrom('guildhall_counters').select('state').where('key', '=', p.key),
)

/** Returns no row if the state has changed meanwhile. A row that the cleanup deleted no longer counted. */
const swapCounter = statement('swap counter', (db, p: { key: string; from: string; to: string; expiresAt: number }) =>
  db
    .insertInto('guildhall_counters')
    .values({ key: p.key, state: p.to, expires_at: p.expiresAt })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ state: p.to, expires_at: p.expiresAt }).where('guildhall_counters.state', '=', p.from),
    )
    .returning('key'),
)

const deleteExpiredCounters = statement('delete expired counters', (db, p: { now: number; limit: number }) =>
  db
    .deleteFrom('guildhall_counters')
    .where('key', 'in', db.selectFrom('guildhall_counters').select('key').where('expires_at', '<=', p.now).limit(p.limit))
    .returning('key'),
)

/** Need not wait for the disk: all logins from one network share one row, and a flood that waits for it would hold every connection. */
export const NON_DURABLE: ReadonlySet<unknown> = new Set([swapCounter])

export class SqlCounters implements Counters {
  readonly #db: Pick<Database, 'first' | 'write'>

  constructor(db: Pick<Database, 'first' | 'write'>) {
    this.#db = db
  }

  async find(key: string): Promise<string | undefined> {
    return (await this.#db.first(findCounter, { key }))?.state
  }

  async swap(key: string, from: string | undefined, to: string, expiresAt: number): Promise<boolean> {
    // The empty text means no state: if a row exists by now, another process was faster.
    return (await this.#db.write(swapCounter, { key, from: from ?? '', to, expiresAt })).length === 1
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    return (await this.#db.write(deleteExpiredCounters, { now, limit })).length
  }
}
