// A database whose sessions and counters live in Redis; everything else stays in SQL.
import { RedisConnection } from '../../database/redis/connection.ts'
import { RedisMonitor } from '../../database/redis/monitor.ts'
import type { RedisClient } from '../../database/redis/script.ts'
import type { Logger } from '../../domain/logger.ts'
import type { Database } from '../contract.ts'
import { RedisCounters } from './counters.ts'
import { RedisMembershipSessions } from './sessions.ts'

export interface RedisLocation {
  /** `redis://...` or `rediss://...`, or an open client, which its owner closes. */
  readonly client: string | RedisClient
  /** The prefix of every key. */
  readonly prefix: string
}

/** Logs if Redis loses data. */
export function withRedis(sql: Database, { client, prefix }: RedisLocation, log: Pick<Logger, 'warn'>): Database {
  if (typeof client !== 'string') return onClient(sql, client, { prefix, log })
  const connection = new RedisConnection(client)
  return onClient(sql, connection, { prefix, log, own: connection })
}

interface ClientOptions {
  readonly prefix: string
  readonly log: Pick<Logger, 'warn'>
  /** The client, if we open and close it. */
  readonly own?: RedisConnection
}

function onClient(sql: Database, client: RedisClient, { prefix, log, own }: ClientOptions): Database {
  const monitor = new RedisMonitor(client, prefix, log)
  const sessions = new RedisMembershipSessions(client, prefix, sql)
  const open = async () => {
    await own?.open()
    monitor.begin()
  }
  /** Does not need Redis, like the pages for visitors. */
  const check = async () => {
    await sql.check()
    // A missing package is reported at the start, not at the first login; and loading it does not count as a slow answer.
    await open()
  }
  return {
    sessions,
    counters: new RedisCounters(client, prefix),
    findUser: (id) => sql.findUser(id),
    all: (statement, values) => sql.all(statement, values),
    first: (statement, values) => sql.first(statement, values),
    write: (statement, values) => sql.write(statement, values),
    transaction: (statements) => sql.transaction(statements),
    lease: (name, holder, now, until) => sql.lease(name, holder, now, until),
    check,
    async migrate() {
      await sql.migrate()
      await open()
    },
    async ready() {
      await check()
      // Any call will do.
      await sessions.find('ready')
    },
    async close() {
      await monitor.close()
      await own?.close()
      await sql.close()
    },
  }
}
