// Counters that throttle. Each is one atomic increment-within-limit, shared by every process on the database.
import { sql } from 'kysely'
import { statement } from './statement.ts'

/** Counts one use if the limit of the window is not reached; answers no row where it is. A window that is over begins anew. */
export const consume = statement('count a use', (db, p: { key: string; now: number; windowEnd: number; limit: number }) =>
  db
    .insertInto('counters')
    .values({ key: p.key, count: 1, expires_at: p.windowEnd })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          count: sql<number>`case when counters.expires_at <= ${p.now} then 1 else counters.count + 1 end`,
          expires_at: sql<number>`case when counters.expires_at <= ${p.now} then ${p.windowEnd} else counters.expires_at end`,
        })
        .where((where) => where.or([where('counters.count', '<', p.limit), where('counters.expires_at', '<=', p.now)])),
    )
    .returning(['count', 'expires_at']),
)

export const findCounter = statement('find counter', (db, p: { key: string }) =>
  db.selectFrom('counters').select(['count', 'expires_at']).where('key', '=', p.key),
)

/** Takes one use back: what turned out to be no failure does not count as one. */
export const refund = statement('take a use back', (db, p: { key: string; windowEnd: number }) =>
  db
    .updateTable('counters')
    .set((expression) => ({ count: expression('count', '-', 1) }))
    .where('key', '=', p.key)
    .where('expires_at', '=', p.windowEnd)
    .where('count', '>', 0),
)

export const clearCounter = statement('clear counter', (db, p: { key: string; windowEnd: number }) =>
  db.deleteFrom('counters').where('key', '=', p.key).where('expires_at', '=', p.windowEnd),
)

export const sweepCounters = statement('sweep counters', (db, p: { now: number; limit: number }) =>
  db
    .deleteFrom('counters')
    .where('key', 'in', db.selectFrom('counters').select('key').where('expires_at', '<=', p.now).limit(p.limit))
    .returning('key'),
)
