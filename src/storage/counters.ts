// Counters in SQL: one atomic increment-within-limit, shared by every process.
import { sql } from 'kysely'
import type { CountedUse, Counters, CounterWindow, Database, Use } from './contract.ts'
import { statement } from './statement.ts'

/** Answers no row where there is not room for all of them: `most` is what may have been counted before. */
const consume = statement('count uses', (db, p: { key: string; now: number; windowEnd: number; uses: number; most: number }) =>
  db
    .insertInto('guildhall_counters')
    .values({ key: p.key, count: p.uses, expires_at: p.windowEnd })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          count: sql<number>`case when guildhall_counters.expires_at <= ${p.now} then ${p.uses} else guildhall_counters.count + ${p.uses} end`,
          expires_at: sql<number>`case when guildhall_counters.expires_at <= ${p.now} then ${p.windowEnd} else guildhall_counters.expires_at end`,
        })
        .where((where) =>
          where.or([where('guildhall_counters.count', '<=', p.most), where('guildhall_counters.expires_at', '<=', p.now)]),
        ),
    )
    .returning(['count', 'expires_at']),
)

const findCounter = statement('find counter', (db, p: { key: string }) =>
  db.selectFrom('guildhall_counters').select(['count', 'expires_at']).where('key', '=', p.key),
)

const refund = statement('take a use back', (db, p: { key: string; windowEnd: number }) =>
  db
    .updateTable('guildhall_counters')
    .set((expression) => ({ count: expression('count', '-', 1) }))
    .where('key', '=', p.key)
    .where('expires_at', '=', p.windowEnd)
    .where('count', '>', 0),
)

const clearCounter = statement('clear counter', (db, p: { key: string; windowEnd: number }) =>
  db.deleteFrom('guildhall_counters').where('key', '=', p.key).where('expires_at', '=', p.windowEnd),
)

const deleteExpiredCounters = statement('delete expired counters', (db, p: { now: number; limit: number }) =>
  db
    .deleteFrom('guildhall_counters')
    .where('key', 'in', db.selectFrom('guildhall_counters').select('key').where('expires_at', '<=', p.now).limit(p.limit))
    .returning('key'),
)

/** Need not wait for the disk: all logins from one network count in one row, and a flood that holds it would take all connections. */
export const NON_DURABLE: ReadonlySet<unknown> = new Set([consume, refund, clearCounter])

/** How long to wait where a full counter is gone again when it is looked at. */
const A_MOMENT_MS = 1000

export class SqlCounters implements Counters {
  readonly #db: Pick<Database, 'first' | 'write'>

  constructor(db: Pick<Database, 'first' | 'write'>) {
    this.#db = db
  }

  async consume(use: Use): Promise<CountedUse> {
    const { counted, windowEnd } = await this.consumeUpTo(1, use)
    return { counted: counted === 1, windowEnd }
  }

  /** Counts as many of so many uses as the window has left, and says how many. */
  async consumeUpTo(
    wanted: number,
    { key, now, windowEnd, limit }: Use,
  ): Promise<{ readonly counted: number; readonly windowEnd: number }> {
    let uses = Math.min(wanted, limit)
    for (;;) {
      const [row] = await this.#db.write(consume, { key, now, windowEnd, uses, most: limit - uses })
      if (row) return { counted: uses, windowEnd: row.expires_at }
      const found = await this.#db.first(findCounter, { key })
      // Whoever was faster may take more meanwhile: fewer at each try, so that there is an end.
      uses = Math.min(uses - 1, limit - (found?.count ?? 0))
      if (uses <= 0) return { counted: 0, windowEnd: found?.expires_at ?? now + A_MOMENT_MS }
    }
  }

  async refund({ key, windowEnd }: CounterWindow): Promise<void> {
    await this.#db.write(refund, { key, windowEnd })
  }

  async clear({ key, windowEnd }: CounterWindow): Promise<void> {
    await this.#db.write(clearCounter, { key, windowEnd })
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    return (await this.#db.write(deleteExpiredCounters, { now, limit })).length
  }
}
