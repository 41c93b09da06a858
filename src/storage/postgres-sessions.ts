// The session middleware's PostgreSQL store on the membership's table, with one method replaced: `read` brings the user along in the same read.
import { SESSION_COLUMNS, sessionFrom } from '../session/columns.ts'
import { type PostgresPool, runOn } from '../session/postgres.ts'
import { PostgresStore } from '../session/postgres-store.ts'
import type { LiveSession } from './contract.ts'
import { findWithUser, userFrom } from './sessions.ts'

export class PostgresMembershipSessions extends PostgresStore<LiveSession> {
  readonly #find = findWithUser.compile('postgres')

  constructor(pool: PostgresPool) {
    super({ pool, table: 'sessions' })
  }

  protected override async read(hash: string): Promise<LiveSession | undefined> {
    const { rows } = await runOn(this.pool, this.#find.sql, this.#find.bind({ hash }))
    const [values] = rows
    return values && { ...sessionFrom(values), user: userFrom(values.slice(SESSION_COLUMNS.length)) }
  }
}
