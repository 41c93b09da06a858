// The PostgreSQL session store on the membership's table: the user comes along in the same read.

import { arrayOf, type PostgresPool, runOn } from '../../database/postgres/query.ts'
import type { SessionRow } from '../../session/store.ts'
import { PostgresStore } from '../../session/stores/postgres.ts'
import type { SessionWithUser, StoredUser } from '../contract.ts'
import { findAllWithUsers, withUser } from '../sessions.ts'
import { findUsersById, userFrom } from '../users.ts'

export class PostgresMembershipSessions extends PostgresStore<SessionWithUser> {
  constructor(pool: PostgresPool) {
    super({ pool, table: 'guildhall_sessions', leases: 'guildhall_leases', find: findAllWithUsers.compile('postgres').sql })
  }

  protected override complete(row: SessionRow, user: readonly unknown[]): SessionWithUser {
    return withUser(row, user)
  }
}

/** Users by their ids, for sessions that are stored in Redis. */
export async function findUsers(pool: PostgresPool, ids: readonly string[]): Promise<ReadonlyMap<string, StoredUser>> {
  const { sql, bind } = findUsersById.compile('postgres')
  const { rows } = await runOn(pool, sql, bind({ ids: arrayOf(ids) }))
  return new Map(rows.map(userFrom).map((user) => [user.id, user]))
}
