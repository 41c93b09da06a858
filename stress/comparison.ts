// The session races, smaller, against express-session and its stores, for docs/measurements/races.md.
import { onServer } from '../test/support/postgres-server.ts'
import { keysIn, openRedis } from '../test/support/redis-server.ts'
import { raceLogouts } from './logout-race.ts'
import { memorySite, processesSite, type RaceSite, sessionSite } from './race-sites.ts'
import { raceRotations } from './regenerate-race.ts'
import { counted, exactly, type Fact, type StressRun } from './result.ts'
import { availableTargets, withTarget } from './storage-targets.ts'
import { COUNTERS, raceCounter, raceDifferentKeys, rounded } from './writers-race.ts'

const BARRIERS = ['handler', 'read', 'save'] as const

export const comparison: StressRun = {
  id: 'comparison',
  title: 'the same races against express-session with its memory, connect-redis and connect-pg-simple',
  run: (size) => measure(size === 'full' ? 300 : 3),
}

async function measure(trials: number): Promise<readonly Fact[]> {
  const targets = await availableTargets()
  const facts: Fact[] = []
  const race = async (open: () => Promise<RaceSite>, fact: typeof exactly, hasUpdate = true): Promise<void> => {
    const site = await open()
    try {
      facts.push(...(await factsOf(site, trials, fact, hasUpdate)))
    } finally {
      await site.close()
    }
  }
  const count: typeof exactly = (what, _expected, measured) => counted(what, measured)
  await race(memorySite, exactly)
  await withTarget('SQLite', (target) => race(() => sessionSite(target), exactly))
  const other = { middleware: 'express-session' } as const
  const name = 'express-session'
  await race(() => processesSite(`${name}, MemoryStore`, { ...other, store: { kind: 'memory' } }, 1), count, false)
  if (targets.includes('PostgreSQL and Redis')) {
    await withRedis(async (store) => {
      const choice = { middleware: 'guildhall', store } as const
      await race(() => processesSite(`${name}, connect-redis, four processes`, { ...other, store }), count, false)
      await race(() => processesSite('connect-redis by fromExpressStore, one process', choice, 1), exactly)
      const between = { ...choice, barriersInside: true }
      await race(() => processesSite('connect-redis by fromExpressStore, four processes', between), count)
    })
  }
  if (targets.includes('PostgreSQL')) {
    await withTarget('PostgreSQL', async ({ database }) => {
      await onServer(TABLE, database)
      const store = { kind: 'connect-pg-simple', database } as const
      await race(() => processesSite(`${name}, connect-pg-simple, four processes`, { ...other, store }), count, false)
    })
  }
  return facts
}

/** That of connect-pg-simple's table.sql. */
const TABLE = 'CREATE TABLE session (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)'

async function factsOf(site: RaceSite, trials: number, fact: typeof exactly, hasUpdate: boolean): Promise<readonly Fact[]> {
  const { name } = site
  const logouts = await raceLogouts(site, trials, BARRIERS)
  const different = await raceDifferentKeys(site, trials)
  const plain = await raceCounter(site, trials, 'plainly')
  const atomic = hasUpdate ? await raceCounter(site, trials, 'atomically') : undefined
  const rotations = await raceRotations(site, trials)
  return [
    fact(`${name}: logouts`, trials, logouts.logouts),
    fact(`${name}: logouts undone`, 0, logouts.letIn),
    counted(`${name}: writes to different keys`, different.answered),
    fact(`${name}: writes to different keys that were lost`, 0, different.lost),
    // Two that read one number and write the next write the same: no store can know better.
    counted(`${name}: counts by assignment`, plain.answered),
    counted(`${name}: counts by assignment that were lost`, plain.lost),
    ...(atomic
      ? [
          fact(`${name}: counts by update`, rounded(trials, COUNTERS), atomic.answered),
          fact(`${name}: counts by update that were lost`, 0, atomic.lost),
        ]
      : []),
    fact(`${name}: rotations`, trials, rotations.rotations),
    fact(`${name}: rotations that logged somebody out`, 0, rotations.loggedOut),
    fact(`${name}: of ${trials * 2} requests with the old id, refused`, 0, rotations.refused),
    fact(`${name}: rotations that left the old id alive`, 0, rotations.oldLetIn),
  ]
}

/** Takes the keys away afterwards. */
async function withRedis(
  work: (store: { readonly kind: 'connect-redis'; readonly prefix: string }) => Promise<void>,
): Promise<void> {
  const prefix = `guildhall-races-${process.pid}:`
  const client = await openRedis()
  try {
    await work({ kind: 'connect-redis', prefix })
  } finally {
    const keys = await keysIn(client, prefix)
    if (keys.length > 0) await client.del(keys)
    await client.close()
  }
}
