// F-13: Redis loses its data: everybody is logged out, nobody is somebody else, and the log says why.
import { setTimeout as sleep } from 'node:timers/promises'
import { inDatabase } from '../test/support/database-inspector.ts'
import { OwnPostgres } from '../test/support/own-postgres.ts'
import { OwnRedis } from '../test/support/own-redis.ts'
import { factsOfAccounts } from './fault-accounts.ts'
import { type Environment, factsOf, judged, withEnvironment } from './fault-environment.ts'
import { atLeast, exactly, type Fact, type StressRun } from './result.ts'

const LIMIT = 5
const BEFORE_MS = 2000
const LONGEST_WAIT_MS = 60_000
const PAUSE_MS = 50
const LOST = 'Redis has lost what it held'
const THROWN_OUT = 'Redis has thrown keys out'

export const redisLoses: StressRun = {
  id: 'F-13',
  title:
    'Redis loses what it held: members log in again, accounts stay, limits count from zero, the log says why, no grant is wrong',
  needs: ['initdb', 'redis-server'],
  run: (size) => measure(size === 'full' ? 10 : 1),
}

async function measure(rounds: number): Promise<readonly Fact[]> {
  const postgres = await OwnPostgres.start()
  const redis = await OwnRedis.start()
  try {
    return await withEnvironment({ database: postgres.url, redis: redis.url }, async (environment) => {
      const before = await accountsIn(postgres)
      environment.load.mayBeLoggedOut = true
      environment.load.begin()
      await sleep(BEFORE_MS)
      const losses = [
        ...(await lose(environment, { name: 'emptied', rounds, lose: () => redis.command('FLUSHALL'), reported: LOST })),
        ...(await lose(environment, { name: 'started without a copy', rounds, lose: () => startAgain(redis), reported: LOST })),
        // One line a minute reports many evicted keys.
        ...(await lose(environment, { name: 'short of memory', rounds: 1, lose: () => fill(redis), reported: THROWN_OUT })),
      ]
      await redis.command('CONFIG', 'SET', 'maxmemory', '0')
      await redis.command('FLUSHALL')
      await environment.load.end()
      const after = await accountsIn(postgres)
      return [
        ...losses,
        atLeast('logins of members who were logged out', 3 * rounds, environment.load.logins),
        exactly('accounts that changed', 0, [...before].filter(([name, epoch]) => after.get(name) !== epoch).length),
        ...(await factsOf(environment)),
        ...(await factsOfAccounts(postgres.url, environment.load)),
      ]
    })
  } finally {
    await redis.drop()
    await postgres.drop()
  }
}

interface Loss {
  readonly name: string
  readonly rounds: number
  lose(): Promise<unknown>
  /** How the line in the log begins. */
  readonly reported: string
}

async function lose({ load, bases, probe }: Environment, { name, rounds, lose, reported }: Loss): Promise<readonly Fact[]> {
  let stillLimited = 0
  let stillIn = 0
  let warned = 0
  const countLines = async () => (await probe()).warnings.filter((line) => line.startsWith(reported)).length
  const loginsBefore = load.logins
  for (let round = 0; round < rounds; round++) {
    // An account of its own, or the last round would count.
    const username = `victim-${name.replaceAll(' ', '-')}-${round}`
    const guess = () => judged(`${bases[1]}/api/login`, { body: { username, password: 'not the password' } })
    for (let tries = 0; tries < LIMIT; tries++) await guess()
    const isLimited = (await guess()) === 429
    const linesBefore = await countLines()
    const cookies = load.members.map(({ cookie }) => cookie)
    await lose()
    if (!isLimited || (await guess()) !== 401) stillLimited++
    for (const cookie of cookies) if ((await judged(`${bases[1]}/api/profile`, { headers: { cookie } })) !== 401) stillIn++
    const deadline = performance.now() + LONGEST_WAIT_MS
    while ((await countLines()) === linesBefore && performance.now() < deadline) await sleep(PAUSE_MS)
    warned += (await countLines()) - linesBefore
    while (load.logins === loginsBefore && performance.now() < deadline) await sleep(PAUSE_MS)
    // Everybody comes back, and the mark of the next round is set.
    await sleep(BEFORE_MS)
  }
  return [
    exactly(`${name}: losses`, rounds, rounds),
    exactly(`${name}: cookies from before that were let in`, 0, stillIn),
    atLeast(`${name}: members who logged in again`, 1, load.logins - loginsBefore),
    exactly(`${name}: limits that did not count from zero`, 0, stillLimited),
    exactly(`${name}: lines in the log of one process`, rounds, warned),
  ]
}

async function startAgain(redis: OwnRedis): Promise<void> {
  await redis.kill()
  await redis.start()
}

/** Writes until nothing of ours is left. */
async function fill(redis: OwnRedis): Promise<void> {
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
  await redis.command('CONFIG', 'SET', 'maxmemory', '3mb')
  while (Number(await countOurs(redis)) > 0) await redis.command('DEBUG', 'POPULATE', '2000', `filling-${Math.random()}`, '1000')
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  await redis.command('FLUSHALL')
}

async function countOurs(redis: OwnRedis): Promise<number> {
  const keys = await redis.command('KEYS', 'guildhall:*')
  return Array.isArray(keys) ? keys.length : 0
}

async function accountsIn(postgres: OwnPostgres): Promise<ReadonlyMap<string, string>> {
  const rows = await inDatabase({ database: postgres.url }, 'SELECT username, credential_epoch, status FROM guildhall_users')
  return new Map(rows.map((row) => [String(row.username), `${Number(row.credential_epoch)} ${String(row.status)}`]))
}
