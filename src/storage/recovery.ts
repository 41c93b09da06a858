// What a recovery reads and writes in SQL: who names an address, whether an account is in use, the proof of an address.
import { sql } from 'kysely'
import type { StoredUser } from './contract.ts'
import { statement } from './statement.ts'
import { USER_COLUMNS, userFrom } from './users.ts'

/** A user who names an address. */
export interface Claimant {
  readonly user: StoredUser
  /** Whether the user came back after the registration. */
  readonly isInUse: boolean
}

const COLUMNS = [...USER_COLUMNS, 'used_at'] as const

type Row = Readonly<Record<(typeof COLUMNS)[number], unknown>>

/** Whoever has proven it first, then those who came back, then the oldest. */
export const findClaimants = statement(
  'find claimants of address',
  (db, p: { emailKey: string; limit: number }) =>
    db
      .selectFrom('guildhall_users')
      .select(COLUMNS)
      .where('email_key', '=', p.emailKey)
      .where('status', '=', 'active')
      .orderBy(sql`email_verified_at IS NULL`)
      .orderBy(sql`used_at IS NULL`)
      .orderBy('created_at')
      .limit(p.limit),
  claimant,
)

export const findClaimantById = statement(
  'find claimant by id',
  (db, p: { id: string }) => db.selectFrom('guildhall_users').select(COLUMNS).where('id', '=', p.id),
  claimant,
)

export const findClaimantByName = statement(
  'find claimant by name',
  (db, p: { usernameKey: string }) => db.selectFrom('guildhall_users').select(COLUMNS).where('username_key', '=', p.usernameKey),
  claimant,
)

/** In the transaction of what proves it. Touches no row if the user has another address, or if another user has proven this one. */
export const proveAddress = statement('prove address', (db, p: { id: string; emailKey: string; now: number }) =>
  db
    .updateTable('guildhall_users')
    .set({ email_verified_at: p.now })
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

/** All ways to log in but the password. */
export const deleteOtherCredentials = statement('delete other credentials', (db, p: { userId: string }) =>
  db.deleteFrom('guildhall_credentials').where('user_id', '=', p.userId).where('kind', '<>', 'password'),
)

function claimant(row: Row): Claimant {
  return { user: userFrom(USER_COLUMNS.map((column) => row[column])), isInUse: row.used_at !== null }
}
