// Users and their passwords in SQL.

import { sql } from 'kysely'
import { USER_STATUSES, type UserStatus } from '../domain/user.ts'
import type { UserRow } from './contract.ts'
import { statement } from './statement.ts'

const USER_COLUMNS = [
  'users.id as id',
  'users.username as username',
  'users.display_name as display_name',
  'users.status as status',
  'users.credential_epoch as credential_epoch',
  'users.roles as roles',
  'users.created_at as created_at',
  'users.locale as locale',
] as const

interface StoredUser {
  id: string
  username: string
  display_name: string
  status: UserStatus
  credential_epoch: number
  roles: string
  created_at: number
  locale: string | null
}

// Written out, not bound: the partial index of passwords serves a statement that says so, without a new plan at each use.
const PASSWORD = sql.lit<'password'>('password')

/** Touches no row where the name is taken: one account per canonical name, whoever asks at the same time. */
export const insertUser = statement(
  'insert user',
  (db, p: { id: string; username: string; usernameKey: string; displayName: string; roles: string; now: number }) =>
    db
      .insertInto('users')
      .values({
        id: p.id,
        username: p.username,
        username_key: p.usernameKey,
        display_name: p.displayName,
        status: 'active',
        credential_epoch: 1,
        roles: p.roles,
        created_at: p.now,
      })
      .onConflict((conflict) => conflict.column('username_key').doNothing()),
)

export const insertPassword = statement('insert password', (db, p: { id: string; userId: string; value: string; now: number }) =>
  db
    .insertInto('credentials')
    .values({ id: p.id, user_id: p.userId, kind: 'password', value: p.value, created_at: p.now, changed_at: p.now }),
)

/** A new hash of the same password. The old value is the condition: a password changed meanwhile stays. */
export const upgradePasswordHash = statement('upgrade password hash', (db, p: { userId: string; old: string; value: string }) =>
  db
    .updateTable('credentials')
    .set({ value: p.value })
    .where('user_id', '=', p.userId)
    .where('kind', '=', PASSWORD)
    .where('value', '=', p.old),
)

export const findUserByKey = statement('find user by name', (db, p: { usernameKey: string }) =>
  db.selectFrom('users').select(USER_COLUMNS).where('username_key', '=', p.usernameKey),
)

export const findUserById = statement('find user by id', (db, p: { id: string }) =>
  db.selectFrom('users').select(USER_COLUMNS).where('id', '=', p.id),
)

/** On PostgreSQL, by the text of an array. */
export const findUsersById = statement('find users by id', (db, p: { ids: string }) =>
  db.selectFrom('users').select(USER_COLUMNS).where('id', '=', sql<string>`any(${p.ids}::text[])`),
)

/** The user behind a name and what their password must match, in one read. */
export const findForLogin = statement('find user for login', (db, p: { usernameKey: string }) =>
  db
    .selectFrom('users')
    .leftJoin('credentials', (join) => join.onRef('credentials.user_id', '=', 'users.id').on('credentials.kind', '=', PASSWORD))
    .select([...USER_COLUMNS, 'credentials.value as password_hash'])
    .where('username_key', '=', p.usernameKey),
)

export const findPassword = statement('find password', (db, p: { userId: string }) =>
  db.selectFrom('credentials').select(['value', 'changed_at']).where('user_id', '=', p.userId).where('kind', '=', PASSWORD),
)

export const listUsers = statement('list users', (db, p: { after: string; limit: number }) =>
  db.selectFrom('users').select(USER_COLUMNS).where('username_key', '>', p.after).orderBy('username_key').limit(p.limit),
)

export const setDisplayName = statement('set display name', (db, p: { id: string; displayName: string }) =>
  db.updateTable('users').set({ display_name: p.displayName }).where('id', '=', p.id),
)

export const setLocale = statement('set locale', (db, p: { id: string; locale: string }) =>
  db.updateTable('users').set({ locale: p.locale }).where('id', '=', p.id),
)

/** Touches no row where the epoch moved since it was read: what a change was decided on no longer holds. */
export const raiseEpoch = statement('raise credential epoch', (db, p: { id: string; from: number }) =>
  db
    .updateTable('users')
    .set((expression) => ({ credential_epoch: expression('credential_epoch', '+', 1) }))
    .where('id', '=', p.id)
    .where('credential_epoch', '=', p.from),
)

export const setStatus = statement('set status', (db, p: { id: string; status: UserStatus }) =>
  db.updateTable('users').set({ status: p.status }).where('id', '=', p.id),
)

/** Touches no row where somebody else has the name. */
export const setUsername = statement('set username', (db, p: { id: string; username: string; usernameKey: string }) =>
  db
    .updateTable('users')
    .set({ username: p.username, username_key: p.usernameKey })
    .where('id', '=', p.id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('users as other')
            .select('other.id')
            .where('other.username_key', '=', p.usernameKey)
            .where('other.id', '<>', p.id),
        ),
      ),
    ),
)

export function toUserRow(stored: StoredUser): UserRow {
  return {
    id: stored.id,
    username: stored.username,
    displayName: stored.display_name,
    status: stored.status,
    credentialEpoch: stored.credential_epoch,
    roles: parseRoles(stored.roles),
    createdAt: stored.created_at,
    locale: stored.locale ?? undefined,
  }
}

const NO_ROLES: readonly string[] = Object.freeze([])

/** Frozen: rows are shared by the requests that found them together, and a role that one pushed would be there for all. */
export function parseRoles(text: string): readonly string[] {
  if (text === '[]') return NO_ROLES
  const roles: unknown = JSON.parse(text)
  return Array.isArray(roles) ? Object.freeze(roles.filter((role) => typeof role === 'string')) : NO_ROLES
}

export function isUserStatus(value: unknown): value is UserStatus {
  return USER_STATUSES.some((known) => known === value)
}
