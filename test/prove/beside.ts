// The races of sessions once more, smaller, against express-session and its stores in the same run. For docs/races.md: what is not ours is counted, not asserted.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { createClient } from 'redis'
import { raceLogouts } from './logout-race.ts'
import { counted, exactly, type Fact, type Proof } from './proof.ts'
import { POSTGRES_URL, REDIS_URL } from './race-house.ts'
import { memorySite, processesSite, type RaceSite, sqliteSite } from './race-sites.ts'
import { raceRotations } from './regenerate-race.ts'
import { COUNTERS, raceCounter, raceDifferentKeys, rounded } from './writers-race.ts'

const PLACES = ['handler', 'read', 'save'] as const

export const beside: Proof = {
  id: 'beside',
  title: 'the same races against express-session with its memory, connect-redis and connect-pg-simple',
  run: (size) => prove(size === 'full' ? 300 : 3),
}

async function prove(trials: number): Promise<readonly Fact[]> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-proof-'))
  const own = `guildhall_races_${process.pid}`
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
  try {
    await race(memorySite, exactly)
    await race(() => sqliteSite(folder), exactly)
    const other = { middleware: 'express-session' } as const
    const name = 'express-session'
    await race(() => processesSite(`${name}, MemoryStore`, { ...other, store: { kind: 'memory' } }, 1), count, false)
    await withRedis(`${own}:`, async (store) => {
      const choice = { middleware: 'guildhall', store } as const
      await race(() => processesSite(`${name}, connect-redis, four processes`, { ...other, store }), count, false)
      await race(() => processesSite('connect-redis by fromExpressStore, one process', choice, 1), exactly)
      const inside = { ...choice, stopsInside: true }
      await race(() => processesSite('connect-redis by fromExpressStore, four processes', inside), count)
    })
    await withPostgres(own, async (store) => {
      await race(() => processesSite(`${name}, connect-pg-simple, four processes`, { ...other, store }), count, false)
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return facts
}

async function factsOf(site: RaceSite, trials: number, fact: typeof exactly, hasUpdate: boolean): Promise<readonly Fact[]> {
  const { name } = site
  const logouts = await raceLogouts(site, trials, PLACES)
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

/** Only where there is one here; takes its keys away afterwards. */
async function withRedis(
  prefix: string,
  work: (store: { readonly kind: 'redis'; readonly prefix: string }) => Promise<void>,
): Promise<void> {
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  if (!(await client.connect().catch(() => undefined))) return
  try {
    await work({ kind: 'redis', prefix })
  } finally {
    for await (const keys of client.scanIterator({ MATCH: `${prefix}*` })) if (keys.length > 0) await client.del(keys)
    client.destroy()
  }
}

/** The same with a database of its own. The table is that of connect-pg-simple's table.sql. */
async function withPostgres(
  database: string,
  work: (store: { readonly kind: 'postgres'; readonly database: string }) => Promise<void>,
): Promise<void> {
  const main = new Client({ connectionString: `${POSTGRES_URL}/postgres` })
  const isThere = await main.connect().then(
    () => true,
    () => false,
  )
  if (!isThere) return
  try {
    await main.query(`CREATE DATABASE ${database}`)
    const made = new Client({ connectionString: `${POSTGRES_URL}/${database}` })
    await made.connect()
    await made.query('CREATE TABLE session (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)')
    await made.end()
    await work({ kind: 'postgres', database })
  } finally {
    await main.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
    await main.end()
  }
}
