// The rows between two steps of a browser, in SQL: keyed by the hash of its flow cookie.
import { statement } from './statement.ts'

/** One step of a browser that waits for the next. */
export interface StoredFlow {
  /** Names it among those of its browser. */
  readonly number: string
  readonly purpose: string
  /** JSON. */
  readonly data: string
  readonly expiresAt: number
}

export const insertFlow = statement(
  'insert flow',
  (
    db,
    p: {
      hash: string
      number: string
      purpose: string
      userId: string | undefined
      data: string
      now: number
      expiresAt: number
    },
  ) =>
    db.insertInto('guildhall_flows').values({
      hash: p.hash,
      number: p.number,
      purpose: p.purpose,
      // `bind` makes undefined NULL.
      user_id: p.userId ?? null,
      data: p.data,
      created_at: p.now,
      expires_at: p.expiresAt,
    }),
)

/** Of a browser the newest `keep` rows stay. */
export const deleteOldestOfBrowser = statement('delete oldest flows of browser', (db, p: { hash: string; keep: number }) =>
  db
    .deleteFrom('guildhall_flows')
    .where('hash', '=', p.hash)
    .where('created_at', '<=', (expression) =>
      expression
        .selectFrom('guildhall_flows as kept')
        .select('kept.created_at')
        .where('kept.hash', '=', p.hash)
        .orderBy('kept.created_at', 'desc')
        .limit(1)
        .offset(p.keep),
    ),
)

/** Of a user the newest `keep` rows of a purpose stay, whatever browsers they are of. */
export const deleteOldestOfUser = statement(
  'delete oldest flows of user',
  (db, p: { userId: string; purpose: string; keep: number }) =>
    db
      .deleteFrom('guildhall_flows')
      .where('user_id', '=', p.userId)
      .where('purpose', '=', p.purpose)
      .where('created_at', '<=', (expression) =>
        expression
          .selectFrom('guildhall_flows as kept')
          .select('kept.created_at')
          .where('kept.user_id', '=', p.userId)
          .where('kept.purpose', '=', p.purpose)
          .orderBy('kept.created_at', 'desc')
          .limit(1)
          .offset(p.keep),
      ),
)

export const findFlowRow = statement(
  'find flow',
  (db, p: { hash: string; number: string; purpose: string; now: number }) =>
    db
      .selectFrom('guildhall_flows')
      .select(['number', 'purpose', 'data', 'expires_at'])
      .where('hash', '=', p.hash)
      .where('number', '=', p.number)
      .where('purpose', '=', p.purpose)
      .where('expires_at', '>', p.now),
  ({ expires_at: expiresAt, ...row }): StoredFlow => ({ ...row, expiresAt }),
)

/** Whether a browser has any flow left: one row, or none. */
export const findAnyFlow = statement('find any flow', (db, p: { hash: string; now: number }) =>
  db.selectFrom('guildhall_flows').select('number').where('hash', '=', p.hash).where('expires_at', '>', p.now).limit(1),
)

/** Used up. Touches no row if another request was faster. */
export const deleteFlow = statement('delete flow', (db, p: { hash: string; number: string; purpose: string }) =>
  db
    .deleteFrom('guildhall_flows')
    .where('hash', '=', p.hash)
    .where('number', '=', p.number)
    .where('purpose', '=', p.purpose)
    .returning('number'),
)

export const deleteFlowsOfBrowser = statement('delete flows of browser', (db, p: { hash: string }) =>
  db.deleteFrom('guildhall_flows').where('hash', '=', p.hash),
)

export const deleteExpiredFlows = statement('delete expired flows', (db, p: { now: number; limit: number }) =>
  db
    .deleteFrom('guildhall_flows')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('hash', 'number', 'purpose'),
        'in',
        selectFrom('guildhall_flows')
          .select(['hash', 'number', 'purpose'])
          .where('expires_at', '<=', p.now)
          .limit(p.limit)
          .$asTuple('hash', 'number', 'purpose'),
      ),
    )
    .returning('number'),
)
