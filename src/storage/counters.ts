// Counters in SQL: a state that is replaced only where nobody else did so first.
import type { Counters, Database } from './contract.ts'
import { statement } from './statement.ts'

const findCounter = statement('find counter', (db, p: { key: string }) =>
  db.selectFrom('guildhall_counters').select('state').where('key', '=', p.key),
)

/** Answers no row where the state is another one meanwhile. A row that the cleanup took held nothing that counted. */
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

/** Need not wait for the disk: all logins from one network count in one row, and a flood that holds it would take all connections. */
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
    // No state is the empty text: where there is none, whoever made a row meanwhile was faster.
    return (await this.#db.write(swapCounter, { key, from: from ?? '', to, expiresAt })).length === 1
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    return (await this.#db.write(deleteExpiredCounters, { now, limit })).length
  }
}
