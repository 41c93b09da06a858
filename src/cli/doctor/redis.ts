// Redis: whether it answers, and whether it keeps what it was given.

import { RedisConnection } from '../../database/redis/connection.ts'
import { wrongPolicy } from '../../database/redis/monitor.ts'
import type { Config } from '../../server/config.ts'
import type { Internals } from '../../server/open-membership.ts'
import type { RedisPlace } from '../../storage/redis/database.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

export async function checkRedis({ core, settings }: Internals, config: Config): Promise<readonly Finding[]> {
  if (settings.redis === undefined) return []
  try {
    await core.db.ready()
    const policy = await policyOf(settings.redis)
    const answers = ok('Redis answers.')
    if (policy === undefined) return [answers]
    const text = `When its memory is full, Redis throws keys out (maxmemory-policy ${policy}): people would be logged out, and limits forgotten. Write maxmemory-policy noeviction into its settings.`
    return [answers, warning(text)]
  } catch (failure) {
    return [failed(failure, config)]
  }
}

async function policyOf({ client, prefix }: RedisPlace): Promise<string | undefined> {
  if (typeof client !== 'string') return wrongPolicy(client, prefix)
  const connection = new RedisConnection(client)
  try {
    return await wrongPolicy(connection, prefix)
  } finally {
    await connection.close()
  }
}
