// The session middleware's PostgreSQL store on the membership's table, with one method replaced: the user comes along in the same read.

import { arrayOf, type PostgresPool, runOn } from '../../database/postgres/query.ts'
import type { SessionRow } from '../../session/store.ts'
import { PostgresStore } from '../../session/stores/postgres.ts'
import type { LiveSession, UserRow } from '../contract.ts'
import { findAllWithUsers, userFrom } from '../sessions.ts'
import { findUsersById } from '../users.ts'

export class PostgresMembershipSessions extends PostgresStore<LiveSession> {
  constructor(pool: PostgresPool) {
    super({ pool, table: 'sessions', find: findAllWithUsers.compile('postgres').sql })
  }

  protected override complete(row: SessionRow, user: readonly unknown[]): LiveSession {
    return { ...row, user: userFrom(user) }
  }
}

/** The accounts of some ids, for sessions that live in Redis. */
export async function findUsers(pool: PostgresPool, ids: readonly string[]): Promise<ReadonlyMap<string, UserRow>> {
  const { sql, bind } = findUsersById.compile('postgres')
  const { rows } = await runOn(pool, sql, bind({ ids: arrayOf(ids) }))
  return new Map(rows.flatMap((values) => userFrom(values) ?? []).map((user) => [user.id, user]))
}
