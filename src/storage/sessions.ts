// The session middleware's SQLite store on the membership's table, with one method replaced: `read` brings the user along in the same read.
import type { SqliteConnection } from '../session/sqlite.ts'
import { SESSION_COLUMNS, SqliteStore, sessionFrom } from '../session/sqlite-store.ts'
import type { LiveSession, UserRow } from './contract.ts'
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

export const findWithUser = statement('find session with its user', (db, p: { hash: string }) =>
  db
    .selectFrom('sessions')
    .leftJoin('users', 'users.id', 'sessions.user_id')
    .select(SESSION_COLUMNS.map((column) => `sessions.${column}` as const))
    .select(USER_COLUMNS)
    .where('sessions.hash', '=', p.hash),
)

export class SqliteMembershipSessions extends SqliteStore<LiveSession> {
  readonly #find = findWithUser.compile('sqlite')

  constructor(connection: SqliteConnection) {
    super({ connection, table: 'sessions' })
  }

  protected override read(hash: string): LiveSession | undefined {
    const values = this.connection.values(this.#find.sql, this.#find.bind({ hash }))
    return values && { ...sessionFrom(values), user: userFrom(values.slice(SESSION_COLUMNS.length)) }
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
