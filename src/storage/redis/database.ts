// A database whose sessions and counters live in Redis; everything else stays in SQL.

import { RedisConnection } from '../../database/redis/connection.ts'
import { RedisWatch, type WatchLog } from '../../database/redis/monitor.ts'
import type { RedisClient } from '../../database/redis/script.ts'
import type { Awaitable } from '../../domain/awaitable.ts'
import type { Counters, Database, StoredUser } from '../contract.ts'
import type { BoundStatement, Statement, StatementValues } from '../statement.ts'
import { RedisCounters } from './counters.ts'
import { RedisMembershipSessions } from './sessions.ts'

export interface RedisPlace {
  /** `redis://...` or `rediss://...`, or an open client, which its owner closes. */
  readonly client: string | RedisClient
  /** What every key begins with. */
  readonly prefix: string
}

/** The log is told where Redis loses what it was given. */
export function withRedis(sql: Database, { client, prefix }: RedisPlace, log: WatchLog): Database {
  if (typeof client !== 'string') return new RedisBackedDatabase(sql, client, { prefix, log })
  const connection = new RedisConnection(client)
  return new RedisBackedDatabase(sql, connection, { prefix, log, own: connection })
}

interface Surroundings {
  readonly prefix: string
  readonly log: WatchLog
  /** The client, where it is ours to open and close. */
  readonly own?: RedisConnection
}

class RedisBackedDatabase implements Database {
  readonly sessions: RedisMembershipSessions
  readonly counters: Counters
  readonly #sql: Database
  readonly #own: RedisConnection | undefined
  readonly #watch: RedisWatch

  constructor(sql: Database, client: RedisClient, { prefix, log, own }: Surroundings) {
    this.#sql = sql
    this.#own = own
    this.#watch = new RedisWatch(client, prefix, log)
    this.sessions = new RedisMembershipSessions(client, prefix, sql)
    this.counters = new RedisCounters(client, prefix)
  }

  findUser(id: string): Awaitable<StoredUser | undefined> {
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

  transaction(statements: readonly BoundStatement[]): Promise<void> {
    return this.#sql.transaction(statements)
  }

  lease(name: string, holder: string, now: number, until: number): Awaitable<boolean> {
    return this.#sql.lease(name, holder, now, until)
  }

  async migrate(): Promise<void> {
    await this.#sql.migrate()
    await this.#open()
  }

  /** Says nothing of Redis itself: pages for visitors need none. */
  async check(): Promise<void> {
    await this.#sql.check()
    // A package that is missing is told at the start, not at the first login; and loading it is not taken for a slow answer.
    await this.#open()
  }

  async ready(): Promise<void> {
    await this.check()
    // Any question will do.
    await this.sessions.find('ready')
  }

  async close(): Promise<void> {
    await this.#watch.close()
    await this.#own?.close()
    await this.#sql.close()
  }

  async #open(): Promise<void> {
    await this.#own?.open()
    this.#watch.begin()
  }
}
