// The session middleware's PostgreSQL store on the membership's table, with one method replaced: `read` brings the user along in the same read.

import { arrayOf, type PostgresPool, runOn } from '../../database/postgres/query.ts'
import { PostgresStore } from '../../session/stores/postgres.ts'
import type { LiveSession, StoredUser } from '../contract.ts'
import { findAllWithUsers, liveSessionFrom } from '../sessions.ts'
import { findUsersById, userFrom } from '../users.ts'

export class PostgresMembershipSessions extends PostgresStore<LiveSession> {
  readonly #find = findAllWithUsers.compile('postgres')

  constructor(pool: PostgresPool) {
    super({ pool, table: 'guildhall_sessions', leases: 'guildhall_leases' })
  }

  protected override async read(hashes: readonly string[]): Promise<readonly LiveSession[]> {
    const { rows } = await runOn(this.pool, this.#find.sql, this.#find.bind({ hashes: arrayOf(hashes) }))
    return rows.map(liveSessionFrom)
  }
}

/** The accounts of some ids, for sessions that live in Redis. */
export async function findUsers(pool: PostgresPool, ids: readonly string[]): Promise<ReadonlyMap<string, StoredUser>> {
  const { sql, bind } = findUsersById.compile('postgres')
  const { rows } = await runOn(pool, sql, bind({ ids: arrayOf(ids) }))
  return new Map(rows.map(userFrom).map((user) => [user.id, user]))
}
