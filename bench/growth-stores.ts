// A thousand members against a million on PostgreSQL, and a thousand sessions against a million in Redis.

import { deleteAllExpired } from '../src/database/cleanup.ts'
import { systemClock } from '../src/domain/clock.ts'
import { openPostgres } from '../src/storage/postgres/database.ts'
import { findForLogin, listUsers } from '../src/storage/users.ts'
import { type Cost, costOfLoad, medianCost, wholeOf } from './cost.ts'
import type { External, Need, PostgresClient, RedisPlace } from './external.ts'
import { type Bytes, bytesOf, FEW, type Filled, fillPostgres } from './fill-postgres.ts'
import { fillRedis, growRedis } from './fill-redis.ts'
import { hasWrk } from './generator.ts'
import { type Measured, startServer } from './processes.ts'
import { median, percentile } from './stats.ts'

export interface StoreGrowthOptions {
  readonly rounds: number
  readonly seconds: number
  /** Members of the large database. */
  readonly many: number
  readonly external: External
}

export interface StoreGrowthResult {
  readonly few: number
  readonly many: number
  /** Missing without wrk. */
  readonly onPostgres?: RequestGrowth
  readonly onBoth?: RequestGrowth
  /** CPU microseconds of PostgreSQL and of the process that asks, for one look-up. */
  readonly loginLookUp: { readonly small: Cost; readonly large: Cost; readonly ratio: number }
  readonly userList: { readonly smallP95Ms: number; readonly largeP95Ms: number }
  readonly sweep: { readonly expired: number; readonly batches: number; readonly p50Ms: number; readonly longestMs: number }
  readonly start: { readonly smallMs: number; readonly largeMs: number }
  readonly bytes: Bytes
  /** With its name in the index of its user. */
  readonly redisBytesPerSession?: number
}

/** An authenticated request; ratios are of all processes together. */
interface RequestGrowth {
  readonly small: Cost
  readonly largeFewVisitors: Cost
  readonly largeFewVisitorsRatio: number
  readonly largeManyVisitors: Cost
  readonly largeManyVisitorsRatio: number
}

const LOOK_UPS = 2000
const PAGES = 50
const PAGE = 50

export async function measureStoreGrowth(options: StoreGrowthOptions): Promise<StoreGrowthResult | undefined> {
  const { many, external } = options
  const { postgres } = external
  if (postgres === undefined) return undefined
  const small = await fillPostgres(external, FEW)
  const large = await fillPostgres(external, many)
  return {
    few: FEW,
    many,
    bytes: await bytesOf(postgres, large),
    ...(hasWrk && { onPostgres: await requestsOnPostgres(small, large, options) }),
    ...(external.redis && (await growthInRedis(small, large, options))),
    loginLookUp: await measureLookUps(small, large, options),
    userList: { smallP95Ms: await listMs(small), largeP95Ms: await listMs(large) },
    start: { smallMs: await startMs(small), largeMs: await startMs(large) },
    sweep: await measureSweep(postgres, large, Math.floor(many / 50)),
  }
}

async function requestsOnPostgres(small: Filled, large: Filled, options: StoreGrowthOptions): Promise<RequestGrowth> {
  const servers = [
    await startServer({ settings: { DATABASE_URL: small.url } }),
    await startServer({ settings: { DATABASE_URL: large.url } }),
  ]
  return compareRequests(servers, ['PostgreSQL'], small, large, options)
}

async function growthInRedis(small: Filled, large: Filled, options: StoreGrowthOptions) {
  const places = [await options.external.anotherRedis(), await options.external.anotherRedis()] as const
  await fillRedis(places[0], small)
  await fillRedis(places[1], large)
  const redisBytesPerSession = await growRedis(places[1], large, options.many - large.visitors.length)
  if (!hasWrk) return { redisBytesPerSession }
  const serverOn = ({ url }: Filled, redis: RedisPlace) => startServer({ settings: { DATABASE_URL: url, REDIS_URL: redis.url } })
  const servers = [await serverOn(small, places[0]), await serverOn(large, places[1])]
  return { redisBytesPerSession, onBoth: await compareRequests(servers, ['PostgreSQL', 'Redis'], small, large, options) }
}

/** Stops the servers. */
async function compareRequests(
  servers: readonly Measured[],
  needs: readonly Need[],
  small: Filled,
  large: Filled,
  { rounds, seconds, external }: StoreGrowthOptions,
): Promise<RequestGrowth> {
  const [ofSmall, ofLarge] = servers
  if (!ofSmall || !ofLarge) throw new Error('there are not two servers')
  const costOfProfile = (server: Measured, cookies: string) =>
    costOfLoad(server, external, needs, { url: `${server.base}/api/profile`, seconds, cookies })
  try {
    const results: { small: Cost; some: Cost; everybody: Cost }[] = []
    for (let round = -1; round < rounds; round++) {
      const result = {
        small: await costOfProfile(ofSmall, small.some),
        some: await costOfProfile(ofLarge, large.some),
        everybody: await costOfProfile(ofLarge, large.everybody),
      }
      if (round >= 0) results.push(result)
    }
    return {
      small: medianCost(results.map(({ small }) => small)),
      largeFewVisitors: medianCost(results.map(({ some }) => some)),
      largeFewVisitorsRatio: median(results.map(({ some, small }) => wholeOf(some) / wholeOf(small))),
      largeManyVisitors: medianCost(results.map(({ everybody }) => everybody)),
      largeManyVisitorsRatio: median(results.map(({ everybody, small }) => wholeOf(everybody) / wholeOf(small))),
    }
  } finally {
    for (const server of servers) await server.stop()
  }
}

/** What a login asks the database, for members from all over the table. */
async function measureLookUps(
  small: Filled,
  large: Filled,
  { rounds, external }: StoreGrowthOptions,
): Promise<StoreGrowthResult['loginLookUp']> {
  const results: { small: Cost; large: Cost }[] = []
  for (let round = -1; round < rounds; round++) {
    const result = { small: await lookUpCost(small, external), large: await lookUpCost(large, external) }
    if (round >= 0) results.push(result)
  }
  return {
    small: medianCost(results.map(({ small }) => small)),
    large: medianCost(results.map(({ large }) => large)),
    ratio: median(results.map(({ small, large }) => wholeOf(large) / wholeOf(small))),
  }
}

async function lookUpCost({ url, rows }: Filled, external: External): Promise<Cost> {
  const database = openPostgres(url)
  const lookUp = async (count: number) => {
    const found = await database.first(findForLogin, { usernameKey: `member-${((count * 7919) % rows) + 1}` })
    if (found === undefined) throw new Error('a member was not found')
  }
  await lookUp(0)
  const { PostgreSQL: storeBefore } = await external.cpu(['PostgreSQL'])
  const before = process.cpuUsage()
  for (let count = 0; count < LOOK_UPS; count++) await lookUp(count)
  const { user, system } = process.cpuUsage(before)
  const { PostgreSQL: storeAfter } = await external.cpu(['PostgreSQL'])
  await database.close()
  const isKnown = storeBefore !== undefined && storeAfter !== undefined
  return {
    cpuMicros: (user + system) / LOOK_UPS,
    stores: isKnown ? { PostgreSQL: (storeAfter - storeBefore) / LOOK_UPS } : {},
  }
}

/** The first page of `guildhall user list`. */
async function listMs({ url }: Filled): Promise<number> {
  const database = openPostgres(url)
  const times: number[] = []
  for (let count = -1; count < PAGES; count++) {
    const startedAt = performance.now()
    const page = await database.all(listUsers, { after: '', limit: PAGE })
    if (page.length !== PAGE) throw new Error('the first page is not full')
    if (count >= 0) times.push(performance.now() - startedAt)
  }
  await database.close()
  return percentile(times, 0.95)
}

async function startMs({ url }: Filled): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 3; count++) {
    const server = await startServer({ settings: { DATABASE_URL: url } })
    times.push(server.startMs)
    await server.stop()
  }
  return median(times)
}

async function measureSweep(
  postgres: PostgresClient,
  { url, schema }: Filled,
  expired: number,
): Promise<StoreGrowthResult['sweep']> {
  const some = `SELECT hash FROM ${schema}.guildhall_sessions ORDER BY public_id LIMIT ${expired}`
  await postgres.query(`UPDATE ${schema}.guildhall_sessions SET expires_at = 1 WHERE hash IN (${some})`)
  const database = openPostgres(url)
  const times: number[] = []
  const deleteExpired = async (now: number, limit: number) => {
    const startedAt = performance.now()
    const swept = await database.sessions.deleteExpired(now, limit)
    times.push(performance.now() - startedAt)
    return swept
  }
  await deleteAllExpired({ deleteExpired }, systemClock, () => true)
  await database.close()
  return { expired, batches: times.length, p50Ms: percentile(times, 0.5), longestMs: Math.max(...times) }
}
