// The session middleware's SQLite store on the membership's table, that reads the user along with the session.
import { type Kysely, sql } from 'kysely'
import type { SqliteConnection } from '../database/sqlite/connection.ts'
import type { SqlValue } from '../database/transaction.ts'
import type { SessionRow } from '../session/store.ts'
import { SESSION_COLUMNS } from '../session/stores/columns.ts'
import { SqliteStore } from '../session/stores/sqlite.ts'
import type { LiveSession, UserRow } from './contract.ts'
import type { Schema } from './schema.ts'
import { statement } from './statement.ts'
import { isUserStatus, parseRoles } from './users.ts'

const USER_COLUMNS = [
  'users.id as u_id',
  'users.username as u_username',
  'users.display_name as u_display_name',
  'users.status as u_status',
  'users.credential_epoch as u_credential_epoch',
  'users.roles as u_roles',
  'users.created_at as u_created_at',
  'users.locale as u_locale',
] as const

const findWithUser = statement('find session with its user', (db, p: { hash: string }) =>
  withUsers(db).where('sessions.hash', '=', p.hash),
)

/** On PostgreSQL, by the text of an array. */
export const findAllWithUsers = statement('find sessions with their users', (db, p: { hashes: string }) =>
  withUsers(db).where('sessions.hash', '=', sql<string>`any(${p.hashes}::text[])`),
)

function withUsers(db: Kysely<Schema>) {
  return db
    .selectFrom('sessions')
    .leftJoin('users', 'users.id', 'sessions.user_id')
    .select(SESSION_COLUMNS.map((column) => `sessions.${column}` as const))
    .select(USER_COLUMNS)
}

export class SqliteMembershipSessions extends SqliteStore<LiveSession> {
  constructor(connection: SqliteConnection) {
    super({ connection, table: 'sessions', find: findWithUser.compile('sqlite').sql })
  }

  protected override complete(row: SessionRow, user: readonly SqlValue[]): LiveSession {
    return { ...row, user: userFrom(user) }
  }
}

/** The user from the values of USER_COLUMNS; undefined where the session is nobody's. */
export function userFrom([id, username, displayName, status, credentialEpoch, roles, createdAt, locale]: readonly unknown[]):
  | UserRow
  | undefined {
  if (typeof id !== 'string' || !isUserStatus(status)) return undefined
  return {
    id,
    username: String(username),
    displayName: String(displayName),
    status,
    credentialEpoch: Number(credentialEpoch),
    roles: parseRoles(String(roles)),
    createdAt: Number(createdAt),
    locale: typeof locale === 'string' ? locale : undefined,
  }
}
