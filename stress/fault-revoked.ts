// F-14: accounts are closed while Redis is away; when it returns with their sessions, none of these counts.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { OwnPostgres } from '../test/support/own-postgres.ts'
import { KEPT, OwnRedis } from '../test/support/own-redis.ts'
import { type Environment, judged, withEnvironment } from './fault-environment.ts'
import { PASSWORD } from './fault-load.ts'
import { ask, cookieOf } from './http-request.ts'
import { atLeast, exactly, type Fact, type StressRun } from './result.ts'

const BIN = resolve(import.meta.dirname, '../bin/guildhall.js')

export const revokedWhileAway: StressRun = {
  id: 'F-14',
  title:
    'an account that is closed while Redis is away stays logged out when Redis returns with its session; a failed logout is not reported as done',
  needs: ['initdb', 'redis-server'],
  run: (size) => measure(size === 'full' ? 500 : 8),
}

interface Person {
  readonly name: string
  readonly cookie: string
}

async function measure(people: number): Promise<readonly Fact[]> {
  const postgres = await OwnPostgres.start()
  const redis = await OwnRedis.start(KEPT)
  try {
    return await withEnvironment({ database: postgres.url, redis: redis.url }, (environment) =>
      revoke(environment, { postgres, redis, people }),
    )
  } finally {
    await redis.drop()
    await postgres.drop()
  }
}

async function revoke(
  { bases }: Environment,
  { postgres, redis, people }: { readonly postgres: OwnPostgres; readonly redis: OwnRedis; readonly people: number },
): Promise<readonly Fact[]> {
  const [served, app] = bases
  const setStatus = async (name: string, status: string) => (await ask(`${app}/operator/${name}/${status}`)).status === 204
  const closed = await registered(served, 'closed', people)
  const leaving = await registered(served, 'leaving', people)
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
  await redis.kill()

  const logouts: number[] = []
  for (const { cookie } of leaving) logouts.push((await ask(`${served}/api/logout`, { body: {}, headers: { cookie } })).status)
  const others = await ask(`${served}/api/account/sessions/end-others`, {
    body: {},
    headers: { cookie: leaving[0]?.cookie ?? '' },
  })
  const ended = await guildhall(['sessions', 'end', leaving[0]?.name ?? '', '--all'], env)
  const isClosed: boolean[] = []
  for (const { name } of closed) isClosed.push(await setStatus(name, 'suspended'))
  const byHand = closed[0]?.name ?? ''
  await setStatus(byHand, 'active')
  const handed = await guildhall(['user', 'set-status', byHand, 'suspended'], env)

  // With everything that it had: each write was on disk.
  await redis.start()
  const held = await redis.command('KEYS', 'guildhall:session:*')
  const alive = await countIn(bases, leaving)
  const afterReturn = await countIn(bases, closed)
  for (const { name } of closed) await setStatus(name, 'active')
  const afterReopening = await countIn(bases, closed)
  const secondLogouts: number[] = []
  for (const { cookie } of leaving)
    secondLogouts.push((await ask(`${served}/api/logout`, { body: {}, headers: { cookie } })).status)
  return [
    exactly('accounts closed while Redis was away', people, isClosed.filter(Boolean).length),
    exactly('of these, one more time at the command line: its exit code', 0, handed ?? -1),
    atLeast('sessions that Redis came back with', 2 * people, Array.isArray(held) ? held.length : 0),
    exactly('sessions of closed accounts that were let in after the return', 0, afterReturn),
    exactly('the same after the accounts were opened again', 0, afterReopening),
    exactly('logouts while Redis was away that were not answered 503', 0, logouts.filter((status) => status !== 503).length),
    exactly('people who tried to log out and were taken for strangers', 0, people - alive),
    exactly(
      '"end the others" and `sessions end` that claimed to have worked',
      0,
      Number(others.status !== 503) + Number(ended === 0),
    ),
    exactly('logouts after the return', people, secondLogouts.filter((status) => status === 204).length),
    exactly('of these, undone', 0, await countIn(bases, leaving)),
  ]
}

async function registered(base: string, kind: string, count: number): Promise<readonly Person[]> {
  const people: Person[] = []
  for (let number = 0; number < count; number++) {
    const name = `${kind}-${number}`
    const headers = { 'x-forwarded-for': `10.2.${number >> 8}.${number & 255}` }
    const answer = await ask(`${base}/api/register`, { body: { username: name, password: PASSWORD }, headers })
    people.push({ name, cookie: cookieOf(answer) })
  }
  return people
}

/** How many of them a page of either process lets in. */
async function countIn(bases: readonly string[], people: readonly Person[]): Promise<number> {
  let count = 0
  for (const { cookie } of people) {
    const statuses = await Promise.all(bases.map((base) => judged(`${base}/api/profile`, { headers: { cookie } })))
    // Whatever is no clear refusal counts as a grant.
    if (statuses.some((status) => status !== 401)) count++
  }
  return count
}

/** The exit code of a command. */
function guildhall(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number | null> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: 'ignore', env: { PATH: process.env.PATH, ...env } })
  return new Promise((done) => child.once('exit', done))
}
