// Checks whether Redis answers, and whether it keeps all keys.

import { RedisConnection } from '../../database/redis/connection.ts'
import { wrongPolicy } from '../../database/redis/monitor.ts'
import type { Config } from '../../server/config.ts'
import { SETTINGS } from '../../settings/table.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

/** Needs no database, which may not exist yet. */
export async function checkRedis(config: Config): Promise<readonly Finding[]> {
  const { redis, redisPrefix = SETTINGS.redisPrefix.default } = config.membership
  if (typeof redis !== 'string') return []
  const connection = new RedisConnection(redis)
  try {
    // Opened first, so that loading the package and connecting do not count as a slow answer.
    await connection.open()
    const policy = await wrongPolicy(connection, redisPrefix)
    const answers = ok('Redis answers.')
    if (policy === undefined) return [answers]
    const text = `When its memory is full, Redis throws keys out (maxmemory-policy ${policy}): people would be logged out, and limits forgotten. Write maxmemory-policy noeviction into its settings.`
    return [answers, warning(text)]
  } catch (failure) {
    return [failed(failure, config)]
  } finally {
    await connection.close()
  }
}
