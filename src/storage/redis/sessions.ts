// The session middleware's Redis store, but that the user comes along, from SQL by primary key.
import type { RedisClient } from '../../database/redis/script.ts'
import type { SessionRow } from '../../session/store.ts'
import { RedisStore } from '../../session/stores/redis.ts'
import type { Database, SessionWithUser } from '../contract.ts'

export class RedisMembershipSessions extends RedisStore<SessionWithUser> {
  readonly #sql: Pick<Database, 'findUser'>

  constructor(client: RedisClient, prefix: string, sql: Pick<Database, 'findUser'>) {
    super({ client, prefix })
    this.#sql = sql
  }

  /** SQL alone decides whether a session is valid: status and epoch are read at every request, whatever is still in Redis. */
  protected override async complete(row: SessionRow): Promise<SessionWithUser> {
    if (row.userId === undefined) return { ...row, user: undefined }
    return { ...row, user: await this.#sql.findUser(row.userId) }
  }
}
