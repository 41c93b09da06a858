// Which database a setting means.
import type { PostgresPool } from '../database/postgres/query.ts'
import type { Logger } from '../domain/logger.ts'
import type { Database } from './contract.ts'
import { openPostgres } from './postgres/database.ts'
import { type RedisLocation, withRedis } from './redis/database.ts'
import { openSqlite } from './sqlite/database.ts'
import { databaseFiles, describeExposed } from './sqlite/file-mode.ts'

const SQLITE = 'sqlite:'

interface DatabaseOptions {
  readonly redis: RedisLocation | undefined
  readonly log: Pick<Logger, 'warn'>
  /** Whether to warn of a file that others can read. */
  readonly production: boolean
}

/**
 * Opens `sqlite:PATH`, `sqlite::memory:` or `postgres://...`, or takes an open pool of the pg package; with `redis`, sessions and counters
 * go there.
 */
export function openDatabase(database: string | PostgresPool, options?: DatabaseOptions): Database {
  const isFile = typeof database === 'string' && database.startsWith(SQLITE)
  if (isFile && options?.production)
    for (const text of describeExposed(databaseFiles(database.slice(SQLITE.length)))) options.log.warn({}, text)
  const sql = isFile ? openSqlite(database.slice(SQLITE.length)) : openPostgres(database, options?.log)
  return options?.redis ? withRedis(sql, options.redis, options.log) : sql
}
