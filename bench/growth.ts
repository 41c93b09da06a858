// A thousand members against a million, on SQLite, on PostgreSQL, and with sessions in Redis: the same requests, look-ups, sweeps and starts.
import { deleteAllExpired } from '../src/database/cleanup.ts'
import { systemClock } from '../src/domain/clock.ts'
import { findForLogin, listUsers } from '../src/storage/users.ts'
import { type Cost, costOf, costOfLoad, medianCost, wholeOf } from './cost.ts'
import type { External } from './external.ts'
import { type Bytes, bytesOf, fillPostgres } from './fill-postgres.ts'
import { fillRedis, growRedis } from './fill-redis.ts'
import { fillSqlite } from './fill-sqlite.ts'
import { FEW, type Filled } from './filled.ts'
import { type Plan, plansOf } from './plans.ts'
import { type Measured, startServer } from './processes.ts'
import { median, percentile } from './stats.ts'

export interface GrowthResult {
  readonly few: number
  readonly many: number
  readonly places: readonly GrowthPlace[]
  /** On PostgreSQL, indexes included. */
  readonly bytes?: Bytes
  /** With its name in the index of its user. */
  readonly redisBytesPerSession?: number
}

/** What grows where the data is. Where sessions are in Redis, all but the requests is as on PostgreSQL alone. */
export interface GrowthPlace {
  readonly name: string
  readonly requests: {
    readonly small: Cost
    /** A thousand visitors out of many: what they need is at hand. */
    readonly largeFewVisitors: Cost
    readonly largeFewVisitorsRatio: number
    /** Twenty thousand visitors in turn, more than a process keeps copies of. */
    readonly largeManyVisitors: Cost
    readonly largeManyVisitorsRatio: number
  }
  readonly loginLookUp?: { readonly small: Cost; readonly large: Cost; readonly ratio: number }
  /** The first page. */
  readonly userList?: { readonly smallP95Ms: number; readonly largeP95Ms: number }
  /** Batches of the cleanup of expired sessions. On SQLite nobody else is served for as long as one takes. */
  readonly sweep?: { readonly expired: number; readonly batches: number; readonly p50Ms: number; readonly longestMs: number }
  /** From the start of the process to its first answer. */
  readonly start?: { readonly smallMs: number; readonly largeMs: number }
  /** Of the many. */
  readonly plans?: readonly Plan[]
}

const MANY = 1_000_000
const ROUNDS = 5
const SECONDS = 2
const LOOK_UPS = 10_000
const PAGES = 50
const PAGE = 50
const STARTS = 3
const EXPIRED = 20_000

export async function measureGrowth(external: External): Promise<GrowthResult> {
  const places = [await growthOf('SQLite', await fillSqlite(FEW), await fillSqlite(MANY), external)]
  const { postgres, redis } = external
  if (postgres === undefined) return { few: FEW, many: MANY, places }
  const small = await fillPostgres(external, FEW)
  const large = await fillPostgres(external, MANY)
  const bytes = await bytesOf(postgres, large)
  const inRedis = redis && (await growthInRedis(small, large, external))
  places.push(await growthOf('PostgreSQL', small, large, external))
  if (inRedis === undefined) return { few: FEW, many: MANY, places, bytes }
  return { few: FEW, many: MANY, places: [...places, inRedis.place], bytes, redisBytesPerSession: inRedis.bytesPerSession }
}

async function growthInRedis(small: Filled, large: Filled, external: External) {
  const forSmall = await external.anotherRedis()
  const forLarge = await external.anotherRedis()
  await fillRedis(forSmall, small)
  await fillRedis(forLarge, large)
  const bytesPerSession = await growRedis(forLarge, large, MANY - large.visitors.length)
  const withRedis = (filled: Filled, { url }: { readonly url: string }): Filled => ({
    ...filled,
    settings: { ...filled.settings, REDIS_URL: url },
    needs: ['PostgreSQL', 'Redis'],
  })
  const requests = await compareRequests(withRedis(small, forSmall), withRedis(large, forLarge), external)
  return { bytesPerSession, place: { name: 'PostgreSQL and Redis', requests } }
}

async function growthOf(name: string, small: Filled, large: Filled, external: External): Promise<GrowthPlace> {
  return {
    name,
    requests: await compareRequests(small, large, external),
    loginLookUp: await compareLookUps(small, large, external),
    userList: { smallP95Ms: await listMs(small), largeP95Ms: await listMs(large) },
    start: { smallMs: await startMs(small), largeMs: await startMs(large) },
    sweep: await measureSweep(large),
    plans: await plansOf(large),
  }
}

/** Ratios are of all processes together. */
async function compareRequests(small: Filled, large: Filled, external: External): Promise<GrowthPlace['requests']> {
  const ofSmall = await startServer({ settings: small.settings })
  const ofLarge = await startServer({ settings: large.settings })
  const costOfProfile = (server: Measured, cookies: string) =>
    costOfLoad(server, external, small.needs, { url: `${server.base}/api/profile`, seconds: SECONDS, cookies })
  try {
    const rounds = await takeRounds(async () => ({
      small: await costOfProfile(ofSmall, small.some),
      some: await costOfProfile(ofLarge, large.some),
      everybody: await costOfProfile(ofLarge, large.everybody),
    }))
    return {
      small: medianCost(rounds.map(({ small }) => small)),
      largeFewVisitors: medianCost(rounds.map(({ some }) => some)),
      largeFewVisitorsRatio: median(rounds.map(({ some, small }) => wholeOf(some) / wholeOf(small))),
      largeManyVisitors: medianCost(rounds.map(({ everybody }) => everybody)),
      largeManyVisitorsRatio: median(rounds.map(({ everybody, small }) => wholeOf(everybody) / wholeOf(small))),
    }
  } finally {
    await ofSmall.stop()
    await ofLarge.stop()
  }
}

async function compareLookUps(
  small: Filled,
  large: Filled,
  external: External,
): Promise<NonNullable<GrowthPlace['loginLookUp']>> {
  const rounds = await takeRounds(async () => ({
    small: await lookUpCost(small, external),
    large: await lookUpCost(large, external),
  }))
  return {
    small: medianCost(rounds.map(({ small }) => small)),
    large: medianCost(rounds.map(({ large }) => large)),
    ratio: median(rounds.map(({ small, large }) => wholeOf(large) / wholeOf(small))),
  }
}

/** What a login asks the database, for members from all over the table. The process that asks is this one. */
async function lookUpCost({ open, rows, needs }: Filled, external: External): Promise<Cost> {
  const database = open()
  const lookUp = async (count: number) => {
    const found = await database.first(findForLogin, { usernameKey: `member-${((count * 7919) % rows) + 1}` })
    if (found === undefined) throw new Error('a member was not found')
  }
  await lookUp(0)
  const cost = await costOf({ usage: ownUsage }, external, needs, async () => {
    for (let count = 0; count < LOOK_UPS; count++) await lookUp(count)
    return { count: LOOK_UPS, result: undefined }
  })
  await database.close()
  return cost
}

async function ownUsage() {
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system }
}

/** The first page of `guildhall user list`. */
async function listMs({ open }: Filled): Promise<number> {
  const database = open()
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

async function startMs({ settings }: Filled): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < STARTS; count++) {
    const server = await startServer({ settings })
    times.push(server.startMs)
    await server.stop()
  }
  return median(times)
}

async function measureSweep({ open, expire }: Filled): Promise<NonNullable<GrowthPlace['sweep']>> {
  await expire(EXPIRED)
  const database = open()
  const times: number[] = []
  const deleteExpired = async (now: number, limit: number) => {
    const startedAt = performance.now()
    const swept = await database.sessions.deleteExpired(now, limit)
    times.push(performance.now() - startedAt)
    return swept
  }
  await deleteAllExpired({ deleteExpired }, systemClock, () => true)
  await database.close()
  return { expired: EXPIRED, batches: times.length, p50Ms: percentile(times, 0.5), longestMs: Math.max(...times) }
}

/** After one to warm up. */
async function takeRounds<T>(round: () => Promise<T>): Promise<readonly T[]> {
  await round()
  const rounds: T[] = []
  while (rounds.length < ROUNDS) rounds.push(await round())
  return rounds
}
