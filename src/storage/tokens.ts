// One-time tokens in SQL: by their SHA-256, with the keyed digest of their code.
import { statement } from './statement.ts'

/** What else ends a token: `nothing` outlives a change of the credentials. */
export type TokenEnd = 'credentials' | 'address' | 'nothing'

export interface StoredToken {
  readonly hash: string
  readonly userId: string
  readonly emailKey: string | undefined
  readonly code: string | undefined
  readonly codeKey: string | undefined
  /** JSON. */
  readonly data: string | undefined
  /** When its mail left: its life begins. */
  readonly createdAt: number
}

const COLUMNS = ['hash', 'user_id', 'email_key', 'code', 'code_key', 'data', 'created_at'] as const

export const insertToken = statement(
  'insert token',
  (
    db,
    p: {
      hash: string
      purpose: string
      userId: string
      endsWith: TokenEnd
      emailKey: string
      code: string | undefined
      codeKey: string | undefined
      data: string
      now: number
      expiresAt: number
    },
  ) =>
    db.insertInto('guildhall_tokens').values({
      hash: p.hash,
      purpose: p.purpose,
      user_id: p.userId,
      ends_with: p.endsWith,
      email_key: p.emailKey,
      code: p.code ?? null,
      code_key: p.codeKey ?? null,
      data: p.data,
      created_at: p.now,
      expires_at: p.expiresAt,
    }),
)

/** Its mail is sent again: its life begins anew. Touches no row if the token was used or has ended. */
export const renewToken = statement('renew token', (db, p: { hash: string; now: number }) =>
  db.updateTable('guildhall_tokens').set({ created_at: p.now }).where('hash', '=', p.hash),
)

/** Its mail was sent: the row goes when its life is over. */
export const limitToken = statement('limit token', (db, p: { hash: string; expiresAt: number }) =>
  db.updateTable('guildhall_tokens').set({ expires_at: p.expiresAt }).where('hash', '=', p.hash),
)

/** `since`: those that left before are over, even if their row is still there for another try. */
export const findTokenRow = statement(
  'find token',
  (db, p: { hash: string; purpose: string; since: number }) =>
    db
      .selectFrom('guildhall_tokens')
      .select(COLUMNS)
      .where('hash', '=', p.hash)
      .where('purpose', '=', p.purpose)
      .where('created_at', '>', p.since),
  storedToken,
)

/** Uses a token up. Touches no row if another request was faster. */
export const consumeToken = statement('use token', (db, p: { hash: string; now: number }) =>
  db.deleteFrom('guildhall_tokens').where('hash', '=', p.hash).where('expires_at', '>', p.now),
)

export const deleteToken = statement('delete token', (db, p: { hash: string }) =>
  db.deleteFrom('guildhall_tokens').where('hash', '=', p.hash),
)

/** Counts a try at the codes of a purpose, and returns those that it may be compared with. */
export const countCodeTry = statement(
  'count code try',
  (db, p: { userId: string; purpose: string; maxTries: number; since: number }) =>
    db
      .updateTable('guildhall_tokens')
      .set((of) => ({ tries: of('tries', '+', 1) }))
      .where('user_id', '=', p.userId)
      .where('purpose', '=', p.purpose)
      .where('code', 'is not', null)
      .where('tries', '<', p.maxTries)
      .where('created_at', '>', p.since)
      .returning(COLUMNS),
  storedToken,
)

export const countTokens = statement(
  'count tokens',
  (db, p: { userId: string; purpose: string; since: number }) =>
    db
      .selectFrom('guildhall_tokens')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('user_id', '=', p.userId)
      .where('purpose', '=', p.purpose)
      .where('created_at', '>', p.since),
  ({ count }) => Number(count),
)

/** In the transaction that changes the credentials. */
export const endTokens = statement('end tokens', (db, p: { userId: string }) =>
  db.deleteFrom('guildhall_tokens').where('user_id', '=', p.userId).where('ends_with', '<>', 'nothing'),
)

/** In the transaction that proves, changes or removes the address. */
export const endAddressTokens = statement('end tokens of the address', (db, p: { userId: string }) =>
  db.deleteFrom('guildhall_tokens').where('user_id', '=', p.userId).where('ends_with', '=', 'address'),
)

export const deleteExpiredTokens = statement('delete expired tokens', (db, p: { now: number; limit: number }) =>
  db
    .deleteFrom('guildhall_tokens')
    .where('hash', 'in', db.selectFrom('guildhall_tokens').select('hash').where('expires_at', '<=', p.now).limit(p.limit))
    .returning('hash'),
)

interface TokenRow {
  readonly hash: string
  readonly user_id: string
  readonly email_key: string | null
  readonly code: string | null
  readonly code_key: string | null
  readonly data: string | null
  readonly created_at: number
}

function storedToken(row: TokenRow): StoredToken {
  return {
    hash: row.hash,
    userId: row.user_id,
    emailKey: row.email_key ?? undefined,
    code: row.code ?? undefined,
    codeKey: row.code_key ?? undefined,
    data: row.data ?? undefined,
    createdAt: Number(row.created_at),
  }
}
