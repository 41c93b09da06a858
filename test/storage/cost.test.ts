// What a visit costs on PostgreSQL and Redis: statements, commands and round trips, counted on the wire.
import { sessionRow } from 'guildhall/testing'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { PostgresStore } from '../../src/session/stores/postgres.ts'
import { REMOVE_FROM_INDEX } from '../../src/session/stores/redis-scripts.ts'
import { describeOnPostgres, makeDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis, REDIS_URL } from '../support/redis.ts'
import { openSite, type Site } from '../support/site.ts'
import type { Answer, Visitor } from '../support/visitor.ts'
import { roundTrips, type Sniffer, sniffPostgres, sniffRedis } from '../support/wire-sniffer.ts'

const REQUESTS = 20
/** Longer than the interval in which a session of 15 minutes is marked as seen once. */
const PAST_THE_TOUCH_INTERVAL = '5m'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

interface Traffic {
  readonly statements: readonly string[]
  readonly roundTrips: number
  /** Without those that nobody waits for. */
  readonly commands: readonly string[]
}

/** Calls of scripts on what visits leave: not the watch on Redis itself, nor the text of a script that another test emptied Redis of. */
const isWaitedFor = (command: string) =>
  /^EVALSHA .*:(?:session|user|counter):/.test(command) && !command.includes(REMOVE_FROM_INDEX.sha1)

interface MeasuredSite {
  readonly site: Site
  /** What an act costs. */
  measure(act: () => Promise<unknown>): Promise<Traffic>
}

/** A site with throttles on, as it is run, that is listened to. */
async function measuredSite({ redis }: { readonly redis: boolean }): Promise<MeasuredSite> {
  const database = await makeDatabase()
  opened.push(database.drop)
  const toPostgres = await sniffPostgres(database.url)
  opened.push(toPostgres.close)
  const inRedis = redis ? await sniffedRedis() : undefined
  const site = await openSite({
    database: toPostgres.url,
    ...(inRedis && { redis: inRedis.sniffer.url, redisPrefix: inRedis.prefix }),
    rateLimit: true,
    // Where people have addresses, a login and a registration count once more.
    email: 'off',
  })
  opened.push(site.close)
  // It looks for mails now and then, whoever visits.
  await site.outbox?.stop()
  // The first request looks at the schema once, and the first use of a script may send its text.
  for (const [, act] of acts(site.visitor(), 'somebody')) await act()
  return {
    site,
    async measure(act) {
      toPostgres.take()
      inRedis?.sniffer.take()
      await act()
      const asked = toPostgres.take()
      const statements = asked.filter((text) => text !== '(sync)')
      return { statements, roundTrips: roundTrips(asked), commands: (inRedis?.sniffer.take() ?? []).filter(isWaitedFor) }
    },
  }
}

async function sniffedRedis(): Promise<{ readonly sniffer: Sniffer; readonly prefix: string }> {
  const keys = await makeRedis()
  opened.push(keys.drop)
  const sniffer = await sniffRedis(REDIS_URL)
  opened.push(sniffer.close)
  return { sniffer, prefix: keys.prefix }
}

function acts(visitor: Visitor, name: string): readonly (readonly [string, () => Promise<Answer>])[] {
  return [
    ['registration', () => visitor.register(name)],
    ['authenticated request', () => visitor.api('/profile')],
    ['logout', () => visitor.api('/logout', {})],
    ['login', () => visitor.logIn(name)],
    ['login with a wrong password', () => visitor.logIn(name, 'not the right one')],
  ]
}

async function costs({ site, measure }: MeasuredSite): Promise<Readonly<Record<string, readonly number[]>>> {
  const found: Record<string, readonly number[]> = {}
  for (const [name, act] of acts(site.visitor(), 'anna')) {
    const { statements, roundTrips, commands } = await measure(act)
    found[name] = [statements.length, roundTrips, commands.length]
  }
  return found
}

async function repeat(act: () => Promise<Answer>): Promise<void> {
  for (let request = 0; request < REQUESTS; request++) expect((await act()).status).toBe(200)
}

const writes = (measure: Traffic) => measure.statements.filter((text) => !/^select/i.test(text))

describeOnPostgres('a visit on PostgreSQL', () => {
  test('an authenticated request is one statement and no write, an anonymous one none at all', async () => {
    const { site, measure } = await measuredSite({ redis: false })
    const anna = site.visitor()
    await anna.register('anna')
    const ofMember = await measure(() => repeat(() => anna.api('/profile')))
    expect([ofMember.statements.length, ofMember.roundTrips, writes(ofMember)]).toEqual([REQUESTS, REQUESTS, []])
    const ofNobody = await measure(() => repeat(() => site.visitor().get('/login')))
    expect([ofNobody.statements, ofNobody.roundTrips]).toEqual([[], 0])
  })

  test('once per touch interval an authenticated request is one write more', async () => {
    const { site, measure } = await measuredSite({ redis: false })
    const anna = site.visitor()
    await anna.register('anna')
    site.clock.forward(PAST_THE_TOUCH_INTERVAL)
    const after = await measure(() => repeat(() => anna.api('/profile')))
    expect(writes(after)).toEqual([expect.stringMatching(/UPDATE guildhall_sessions SET last_seen_at/)])
    expect(after.statements).toHaveLength(REQUESTS + 1)
  })

  test('what registering, logging in and logging out cost: statements, round trips', async () => {
    expect(await costs(await measuredSite({ redis: false }))).toEqual({
      registration: [12, 12, 0],
      'authenticated request': [1, 1, 0],
      logout: [3, 3, 0],
      // One of them keeps, at the first login, that the person came back.
      login: [10, 10, 0],
      'login with a wrong password': [7, 7, 0],
    })
  })

  test('sessions that are asked for at once are one statement, and each is the right one', async () => {
    const database = await makeDatabase()
    opened.push(database.drop)
    const sniffer = await sniffPostgres(database.url)
    opened.push(sniffer.close)
    const pool = new pg.Pool({ connectionString: sniffer.url })
    opened.push(() => pool.end())
    const store = new PostgresStore({ pool })
    await store.migrate()
    // Keys as no digest looks like, too.
    const hashes = ['a', 'b"', 'c\\', '{d,e}', 'NULL', "f'", '']
    for (const hash of hashes) await store.create(sessionRow({ hash, publicId: `public ${hash}` }))
    sniffer.take()
    const found = await Promise.all([...hashes, 'nobody', 'null\0character'].map((hash) => store.find(hash)))
    expect(sniffer.take().filter((text) => text !== '(sync)')).toHaveLength(1)
    expect(found.map((row) => row?.publicId)).toEqual([...hashes.map((hash) => `public ${hash}`), undefined, undefined])
  })
})

describe('on both', () => {
  describeOnPostgres('a visit on PostgreSQL and Redis', () => {
    describeOnRedis('as they are', () => {
      test('an authenticated request is one command and one statement and no write, an anonymous one none at all', async () => {
        const { site, measure } = await measuredSite({ redis: true })
        const anna = site.visitor()
        await anna.register('anna')
        const ofMember = await measure(() => repeat(() => anna.api('/profile')))
        expect([ofMember.commands.length, ofMember.statements.length, writes(ofMember)]).toEqual([REQUESTS, REQUESTS, []])
        const ofNobody = await measure(() => repeat(() => site.visitor().get('/login')))
        expect([ofNobody.commands, ofNobody.statements]).toEqual([[], []])
      })

      test('once per touch interval an authenticated request is one command more', async () => {
        const { site, measure } = await measuredSite({ redis: true })
        const anna = site.visitor()
        await anna.register('anna')
        site.clock.forward(PAST_THE_TOUCH_INTERVAL)
        const after = await measure(() => repeat(() => anna.api('/profile')))
        expect([after.commands.length, after.statements.length]).toEqual([REQUESTS + 1, REQUESTS])
      })

      test('what registering, logging in and logging out cost: statements, round trips, commands', async () => {
        expect(await costs(await measuredSite({ redis: true }))).toEqual({
          registration: [8, 8, 7],
          'authenticated request': [1, 1, 1],
          logout: [2, 2, 2],
          login: [4, 4, 9],
          'login with a wrong password': [3, 3, 5],
        })
      })
    })
  })
})
