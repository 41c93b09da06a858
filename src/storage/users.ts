// Users and their passwords in SQL.

import { sql } from 'kysely'
import { USER_STATUSES, type UserStatus } from '../domain/user.ts'
import type { StoredUser } from './contract.ts'
import { type StatementValues, statement } from './statement.ts'

/** In the order in which `userFrom` takes their values. */
export const USER_COLUMNS = [
  'id',
  'username',
  'display_name',
  'status',
  'credential_epoch',
  'roles',
  'created_at',
  'locale',
  'email',
  'email_key',
  'email_verified_at',
  'email_undeliverable_at',
  'used_at',
] as const

type UserColumns = Readonly<Record<(typeof USER_COLUMNS)[number], unknown>>

const QUALIFIED_COLUMNS = USER_COLUMNS.map((column) => `guildhall_users.${column} as ${column}` as const)

// Written out, not bound: the partial index of passwords serves a statement that says so, without a new plan at each use.
const PASSWORD = sql.lit<'password'>('password')

interface NewUserRow extends StatementValues {
  readonly id: string
  readonly username: string
  readonly usernameKey: string
  readonly displayName: string
  readonly roles: string
  readonly now: number
  readonly email: string | undefined
  readonly emailKey: string | undefined
}

/** Touches no row if the name is taken: of concurrent registrations of one canonical name, one succeeds. */
export const insertUser = statement('insert user', (db, p: NewUserRow) =>
  db
    .insertInto('guildhall_users')
    .values({
      id: p.id,
      username: p.username,
      username_key: p.usernameKey,
      display_name: p.displayName,
      status: 'active',
      credential_epoch: 1,
      roles: p.roles,
      created_at: p.now,
      email: p.email ?? null,
      email_key: p.emailKey ?? null,
    })
    .onConflict((conflict) => conflict.column('username_key').doNothing()),
)

export const insertPassword = statement('insert password', (db, p: { id: string; userId: string; hash: string; now: number }) =>
  db
    .insertInto('guildhall_credentials')
    .values({ id: p.id, user_id: p.userId, kind: 'password', data: p.hash, created_at: p.now, changed_at: p.now }),
)

/** Replaces the password, in the transaction that raises the epoch. Touches no row if the user has none. */
export const setPassword = statement('set password', (db, p: { userId: string; hash: string; now: number }) =>
  db
    .updateTable('guildhall_credentials')
    .set({ data: p.hash, changed_at: p.now })
    .where('user_id', '=', p.userId)
    .where('kind', '=', PASSWORD),
)

/** A new hash of the same password. The old value is the condition: a password changed meanwhile stays. */
export const upgradePasswordHash = statement('upgrade password hash', (db, p: { userId: string; old: string; hash: string }) =>
  db
    .updateTable('guildhall_credentials')
    .set({ data: p.hash })
    .where('user_id', '=', p.userId)
    .where('kind', '=', PASSWORD)
    .where('data', '=', p.old),
)

export const findUserByKey = statement(
  'find user by name',
  (db, p: { usernameKey: string }) =>
    db.selectFrom('guildhall_users').select(USER_COLUMNS).where('username_key', '=', p.usernameKey),
  storedUser,
)

export const findUserById = statement(
  'find user by id',
  (db, p: { id: string }) => db.selectFrom('guildhall_users').select(USER_COLUMNS).where('id', '=', p.id),
  storedUser,
)

/** On PostgreSQL, by the text of an array. */
export const findUsersById = statement('find users by id', (db, p: { ids: string }) =>
  db.selectFrom('guildhall_users').select(USER_COLUMNS).where('id', '=', sql<string>`any(${p.ids}::text[])`),
)

/** The user behind a name and what their password must match, in one read. */
export const findForLogin = statement(
  'find user for login',
  (db, p: { usernameKey: string }) =>
    db
      .selectFrom('guildhall_users')
      .leftJoin('guildhall_credentials', (join) =>
        join.onRef('guildhall_credentials.user_id', '=', 'guildhall_users.id').on('guildhall_credentials.kind', '=', PASSWORD),
      )
      .select([...QUALIFIED_COLUMNS, 'guildhall_credentials.data as password_hash'])
      .where('username_key', '=', p.usernameKey),
  withPassword,
)

/** The same by an address that the user has proven: a claim logs nobody in. */
export const findForLoginByAddress = statement(
  'find user for login by address',
  (db, p: { emailKey: string }) =>
    db
      .selectFrom('guildhall_users')
      .leftJoin('guildhall_credentials', (join) =>
        join.onRef('guildhall_credentials.user_id', '=', 'guildhall_users.id').on('guildhall_credentials.kind', '=', PASSWORD),
      )
      .select([...QUALIFIED_COLUMNS, 'guildhall_credentials.data as password_hash'])
      .where('email_key', '=', p.emailKey)
      .where('email_verified_at', 'is not', null),
  withPassword,
)

export const findPassword = statement(
  'find password',
  (db, p: { userId: string }) =>
    db
      .selectFrom('guildhall_credentials')
      .select(['data', 'changed_at'])
      .where('user_id', '=', p.userId)
      .where('kind', '=', PASSWORD),
  ({ data, changed_at }) => ({ passwordHash: data, changedAt: changed_at }),
)

export const listUsers = statement(
  'list users',
  (db, p: { after: string; limit: number }) =>
    db
      .selectFrom('guildhall_users')
      .select(USER_COLUMNS)
      .where('username_key', '>', p.after)
      .orderBy('username_key')
      .limit(p.limit),
  storedUser,
)

/** All ways to log in but the password. */
export const deleteOtherCredentials = statement('delete other credentials', (db, p: { userId: string }) =>
  db.deleteFrom('guildhall_credentials').where('user_id', '=', p.userId).where('kind', '<>', 'password'),
)

export const setDisplayName = statement('set display name', (db, p: { id: string; displayName: string }) =>
  db.updateTable('guildhall_users').set({ display_name: p.displayName }).where('id', '=', p.id),
)

export const setLocale = statement('set locale', (db, p: { id: string; locale: string }) =>
  db.updateTable('guildhall_users').set({ locale: p.locale }).where('id', '=', p.id),
)

/** Touches no row if the user has another address by now. */
export const setUndeliverable = statement('set undeliverable', (db, p: { id: string; emailKey: string; at: number }) =>
  db
    .updateTable('guildhall_users')
    .set({ email_undeliverable_at: p.at })
    .where('id', '=', p.id)
    .where('email_key', '=', p.emailKey),
)

/** Touches no row if the epoch changed since it was read: the change was decided on old data. */
export const raiseEpoch = statement('raise credential epoch', (db, p: { id: string; from: number }) =>
  db
    .updateTable('guildhall_users')
    .set((expression) => ({ credential_epoch: expression('credential_epoch', '+', 1) }))
    .where('id', '=', p.id)
    .where('credential_epoch', '=', p.from),
)

export const setStatus = statement('set status', (db, p: { id: string; status: UserStatus }) =>
  db.updateTable('guildhall_users').set({ status: p.status }).where('id', '=', p.id),
)

/** Touches no row if another user has the name. Old rows may have the username as the display name, which is not a choice. */
export const setUsername = statement('set username', (db, p: { id: string; username: string; usernameKey: string }) =>
  db
    .updateTable('guildhall_users')
    .set((expression) => ({
      username: p.username,
      username_key: p.usernameKey,
      display_name: expression
        .case()
        .when('display_name', '=', expression.ref('username'))
        .then(NO_CHOICE)
        .else(expression.ref('display_name'))
        .end(),
    }))
    .where('id', '=', p.id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('guildhall_users as other')
            .select('other.id')
            .where('other.username_key', '=', p.usernameKey)
            .where('other.id', '<>', p.id),
        ),
      ),
    ),
)

/** The user from the values of USER_COLUMNS. */
export function userFrom(values: readonly unknown[]): StoredUser {
  const [id, username, displayName, status, credentialEpoch, roles, createdAt, locale, ...address] = values
  const [email, emailKey, verifiedAt, undeliverableAt, usedAt] = address
  return {
    id: String(id),
    username: String(username),
    displayName: displayNameOf(String(username), String(displayName)),
    // What a newer program means by a status of its own is unknown here: it lets nobody in.
    status: USER_STATUSES.find((known) => known === status) ?? 'suspended',
    credentialEpoch: Number(credentialEpoch),
    roles: parseRoles(String(roles)),
    createdAt: Number(createdAt),
    locale: textOf(locale),
    email: textOf(email),
    emailKey: textOf(emailKey),
    emailVerified: typeof verifiedAt === 'number',
    isUndeliverable: typeof undeliverableAt === 'number',
    isUsed: typeof usedAt === 'number',
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The stored display name of a user who chose none: empty, so that a rename shows. */
const NO_CHOICE = ''

export function displayNameOf(username: string, chosen: string): string {
  return chosen === NO_CHOICE ? username : chosen
}

export function storedUser(row: UserColumns): StoredUser {
  return userFrom(USER_COLUMNS.map((column) => row[column]))
}

function withPassword(row: UserColumns & { readonly password_hash: string | null }) {
  return { user: storedUser(row), passwordHash: row.password_hash ?? undefined }
}

const NO_ROLES: readonly string[] = Object.freeze([])

/** Frozen: rows are shared by the requests that found them together, and a role that one pushed would be there for all. */
function parseRoles(text: string): readonly string[] {
  if (text === '[]') return NO_ROLES
  const roles: unknown = JSON.parse(text)
  return Array.isArray(roles) ? Object.freeze(roles.filter((role) => typeof role === 'string')) : NO_ROLES
}
