// F-12: Redis stops, freezes, is cut off or falls silent while people work, and returns with its data.
import { setTimeout as sleep } from 'node:timers/promises'
import { OwnPostgres } from '../test/support/own-postgres.ts'
import { KEPT, OwnRedis } from '../test/support/own-redis.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { factsOfAccounts } from './fault-accounts.ts'
import { type Fault, factsOf, suffer, withEnvironment } from './fault-environment.ts'
import type { Fact, Size, StressRun } from './result.ts'

export const redisStops: StressRun = {
  id: 'F-12',
  title: 'Redis stops, hangs or cannot be reached: 503 in time, members stay members, nobody is somebody else',
  needs: ['initdb', 'redis-server'],
  run: measure,
}

async function measure(size: Size): Promise<readonly Fact[]> {
  const lastsMs = size === 'full' ? 15_000 : 800
  const postgres = await OwnPostgres.start()
  const redis = await OwnRedis.start(KEPT)
  const proxy = await TcpProxy.before(redis.url)
  const faults: readonly Fault[] = [
    { name: 'stopped', lastsMs, breakIt: () => redis.kill(), restoreIt: () => redis.start() },
    { name: 'frozen', lastsMs, breakIt: () => redis.signal('SIGSTOP'), restoreIt: () => redis.signal('SIGCONT') },
    { name: 'silent', lastsMs, breakIt: () => proxy.stall(), restoreIt: () => proxy.restore() },
    { name: 'refused', lastsMs, breakIt: () => proxy.refuse(), restoreIt: () => proxy.restore() },
    { name: 'two seconds late', lastsMs, breakIt: () => proxy.delay(2000), restoreIt: () => proxy.restore() },
  ]
  try {
    return await withEnvironment({ database: postgres.url, redis: proxy.urlOf(redis.url) }, async (environment) => {
      environment.load.begin()
      const facts: Fact[] = []
      for (const fault of faults) facts.push(...(await suffer(environment, fault)))
      await sleep(500)
      await environment.load.end()
      return [...facts, ...(await factsOf(environment)), ...(await factsOfAccounts(postgres.url, environment.load))]
    })
  } finally {
    await proxy.close()
    await redis.drop()
    await postgres.drop()
  }
}
