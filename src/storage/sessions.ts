// The session store on the membership's table: the user comes along in one read.
import { type Kysely, sql } from 'kysely'
import type { SqliteConnection } from '../database/sqlite/connection.ts'
import type { SqlValue } from '../database/transaction.ts'
import type { SessionRow } from '../session/store.ts'
import { SESSION_COLUMNS } from '../session/stores/columns.ts'
import { SqliteStore } from '../session/stores/sqlite.ts'
import type { SessionWithUser } from './contract.ts'
import type { Schema } from './schema.ts'
import { statement } from './statement.ts'
import { USER_COLUMNS, userFrom } from './users.ts'

export const findWithUser = statement('find session with its user', (db, p: { hash: string }) =>
  withUsers(db).where('guildhall_sessions.hash', '=', p.hash),
)

/** For PostgreSQL alone: `hashes` is the text of an array. */
export const findAllWithUsers = statement('find sessions with their users', (db, p: { hashes: string }) =>
  withUsers(db).where('guildhall_sessions.hash', '=', sql<string>`any(${p.hashes}::text[])`),
)

function withUsers(db: Kysely<Schema>) {
  return db
    .selectFrom('guildhall_sessions')
    .leftJoin('guildhall_users', 'guildhall_users.id', 'guildhall_sessions.user_id')
    .select(SESSION_COLUMNS.map((column) => `guildhall_sessions.${column}` as const))
    .select(USER_COLUMNS.map((column) => `guildhall_users.${column} as u_${column}` as const))
}

export class SqliteMembershipSessions extends SqliteStore<SessionWithUser> {
  constructor(connection: SqliteConnection) {
    super({ connection, table: 'guildhall_sessions', leases: 'guildhall_leases', find: findWithUser.compile('sqlite').sql })
  }

  protected override complete(row: SessionRow, user: readonly SqlValue[]): SessionWithUser {
    return withUser(row, user)
  }
}

/** A session with its user, if it has one. */
export function withUser(row: SessionRow, user: readonly unknown[]): SessionWithUser {
  return { ...row, user: user[0] === null ? undefined : userFrom(user) }
}
