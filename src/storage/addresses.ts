// Mail addresses of users in SQL: who has proven one, who claims it, and what changes either.
import { sql } from 'kysely'
import { statement } from './statement.ts'
import { storedUser, USER_COLUMNS } from './users.ts'

/** Who has proven an address: one user at most. */
export const findProven = statement(
  'find user by proven address',
  (db, p: { emailKey: string }) =>
    db
      .selectFrom('guildhall_users')
      .select(USER_COLUMNS)
      .where('email_key', '=', p.emailKey)
      .where('email_verified_at', 'is not', null),
  storedUser,
)

/** Of those who can log in: whoever has proven it first, then those who came back, then the oldest. */
export const findClaimants = statement(
  'find claimants of address',
  (db, p: { emailKey: string; limit: number }) =>
    db
      .selectFrom('guildhall_users')
      .select(USER_COLUMNS)
      .where('email_key', '=', p.emailKey)
      .where('status', '=', 'active')
      .orderBy(sql`email_verified_at IS NULL`)
      .orderBy(sql`used_at IS NULL`)
      .orderBy('created_at')
      .limit(p.limit),
  storedUser,
)

/** In the transaction of what proves it. Touches no row if the user has another address, or if another user has proven this one. */
export const proveAddress = statement('prove address', (db, p: { id: string; emailKey: string; now: number }) =>
  db
    .updateTable('guildhall_users')
    .set({ email_verified_at: p.now, email_undeliverable_at: null })
    .where('id', '=', p.id)
    .where('email_key', '=', p.emailKey)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('guildhall_users as other')
            .select('other.id')
            .where('other.email_key', '=', p.emailKey)
            .where('other.email_verified_at', 'is not', null),
        ),
      ),
    ),
)

/** After it: whoever only claimed the address has none now. */
export const dropOtherClaims = statement('drop other claims of address', (db, p: { id: string; emailKey: string }) =>
  db
    .updateTable('guildhall_users')
    .set(NO_ADDRESS)
    .where('email_key', '=', p.emailKey)
    .where('id', '<>', p.id)
    .where('email_verified_at', 'is', null),
)

/** Touches no row if the user has another address by now, or has proven this one. */
export const dropClaim = statement('drop claim of address', (db, p: { id: string; emailKey: string }) =>
  db
    .updateTable('guildhall_users')
    .set(NO_ADDRESS)
    .where('id', '=', p.id)
    .where('email_key', '=', p.emailKey)
    .where('email_verified_at', 'is', null),
)

/** The owner says that mails arrive again. */
export const clearUndeliverable = statement('clear undeliverable', (db, p: { id: string }) =>
  db.updateTable('guildhall_users').set({ email_undeliverable_at: null }).where('id', '=', p.id),
)

/** The user came back. The first time stays. */
export const markUsed = statement('mark user as used', (db, p: { id: string; now: number }) =>
  db.updateTable('guildhall_users').set({ used_at: p.now }).where('id', '=', p.id).where('used_at', 'is', null),
)

const NO_ADDRESS = { email: null, email_key: null, email_undeliverable_at: null } as const
