// The session middleware's PostgreSQL store on the membership's table, with one method replaced: `read` brings the user along in the same read.

import { arrayOf, type PostgresPool, runOn } from '../../database/postgres/query.ts'
import { SESSION_COLUMNS, sessionFrom } from '../../session/stores/columns.ts'
import { PostgresStore } from '../../session/stores/postgres.ts'
import type { LiveSession, UserRow } from '../contract.ts'
import { findAllWithUsers, userFrom } from '../sessions.ts'
import { findUsersById } from '../users.ts'

export class PostgresMembershipSessions extends PostgresStore<LiveSession> {
  readonly #find = findAllWithUsers.compile('postgres')

  constructor(pool: PostgresPool) {
    super({ pool, table: 'sessions' })
  }

  protected override async read(hashes: readonly string[]): Promise<readonly LiveSession[]> {
    const { rows } = await runOn(this.pool, this.#find.sql, this.#find.bind({ hashes: arrayOf(hashes) }))
    return rows.map((values) => ({ ...sessionFrom(values), user: userFrom(values.slice(SESSION_COLUMNS.length)) }))
  }
}

/** The accounts of some ids, for sessions that live in Redis. */
export async function findUsers(pool: PostgresPool, ids: readonly string[]): Promise<ReadonlyMap<string, UserRow>> {
  const { sql, bind } = findUsersById.compile('postgres')
  const { rows } = await runOn(pool, sql, bind({ ids: arrayOf(ids) }))
  return new Map(rows.flatMap((values) => userFrom(values) ?? []).map((user) => [user.id, user]))
}
