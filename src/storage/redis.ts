// A database whose sessions and counters live in Redis. Users, credentials and the audit trail stay in SQL.
import type { RedisClient } from '../session/redis.ts'
import type { Awaitable } from '../session/store.ts'
import type { Counters, Database, UserRow } from './contract.ts'
import { RedisConnection } from './redis-client.ts'
import { RedisCounters } from './redis-counters.ts'
import { RedisMembershipSessions } from './redis-sessions.ts'
import type { Statement, StatementValues, Step } from './statement.ts'

export interface RedisPlace {
  /** `redis://...` or `rediss://...`, or an open client, which its owner closes. */
  readonly client: string | RedisClient
  /** What every key begins with. */
  readonly prefix: string
}

export function withRedis(sql: Database, { client, prefix }: RedisPlace): Database {
  if (typeof client !== 'string') return new RedisBackedDatabase(sql, client, prefix)
  const connection = new RedisConnection(client)
  return new RedisBackedDatabase(sql, connection, prefix, connection)
}

class RedisBackedDatabase implements Database {
  readonly sessions: RedisMembershipSessions
  readonly counters: Counters
  readonly #sql: Database
  readonly #own: RedisConnection | undefined

  constructor(sql: Database, client: RedisClient, prefix: string, own?: RedisConnection) {
    this.#sql = sql
    this.#own = own
    this.sessions = new RedisMembershipSessions(client, prefix, sql)
    this.counters = new RedisCounters(client, prefix)
  }

  findUser(id: string): Awaitable<UserRow | undefined> {
    return this.#sql.findUser(id)
  }

  all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<readonly R[]> {
    return this.#sql.all(statement, values)
  }

  first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<R | undefined> {
    return this.#sql.first(statement, values)
  }

  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<readonly R[]> {
    return this.#sql.write(statement, values)
  }

  commit(steps: readonly Step[]): Promise<void> {
    return this.#sql.commit(steps)
  }

  async migrate(): Promise<void> {
    await this.#sql.migrate()
    await this.#own?.open()
  }

  /** Says nothing of Redis itself: pages for visitors need none. */
  async check(): Promise<void> {
    await this.#sql.check()
    // A package that is missing is told at the start, not at the first login; and loading it is not taken for a slow answer.
    await this.#own?.open()
  }

  async ready(): Promise<void> {
    await this.check()
    // Any question will do.
    await this.sessions.find('ready')
  }

  async close(): Promise<void> {
    await this.#own?.close()
    await this.#sql.close()
  }
}
