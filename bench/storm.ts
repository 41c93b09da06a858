// The login storm: how many people can log in at once, and what those who are logged in notice of it.
import { startLoad } from './generator.ts'
import { hashRate } from './hash-rate.ts'
import { median } from './stats.ts'
import type { StormReport } from './storm-client.ts'
import { type Latency, latencyOf, logInAll, sendClients } from './storm-clients.ts'
import { type InStorm, openOwn, openRivals } from './storm-contestants.ts'
import { measureOverload, type OverloadResult } from './storm-overload.ts'

export interface StormRow {
  readonly name: string
  readonly loginsPerSecond: number
  readonly idle: Latency
  readonly storm: Latency
}

/** Medians over the rounds; ratios are medians of the rounds' own ratios. */
export interface StormResult extends StormRow {
  readonly rawHashesPerSecond: number
  /** Logins of a round against the hashes of the same round. */
  readonly ofRaw: number
  /** The same with threads at the priority that the server gives them: what else runs on the machine passes both alike. */
  readonly ofRawNiced: number
  readonly p99Ratio: number
  readonly p50MoreMs: number
  readonly loginsPerSecondInFlood: number
  readonly floodShare: number
  readonly overload: OverloadResult
  /** Others in the same rounds. */
  readonly rivals: readonly StormRow[]
}

const ROUNDS = 5
const SECONDS = 4
const HASHING_MS = 2000
const QUEUE = 256
const LOGINS = 32
const READS_PER_SECOND = 200
const LONGEST_FLOOD_SECONDS = 120

interface StormRound {
  readonly idle: StormReport
  readonly storm: StormReport
}

interface OwnRound extends StormRound {
  readonly raw: number
  readonly niced: number
  readonly loginsInFlood: number
}

export async function measureStorm(): Promise<StormResult> {
  const opened: InStorm[] = []
  try {
    const own = await openOwn({ HASH_QUEUE: String(QUEUE) })
    opened.push(own)
    const rivals = await openRivals()
    opened.push(...rivals)
    for (const each of opened) await stormOn(each, 1)

    const rounds: OwnRound[] = []
    const others = new Map<string, StormRound[]>(rivals.map(({ name }) => [name, []]))
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        raw: await hashRate({ ms: HASHING_MS, niceness: 0 }),
        niced: await hashRate({ ms: HASHING_MS, niceness: 10 }),
        ...(await roundOf(own)),
        loginsInFlood: await loginsInFlood(own),
      })
      for (const rival of rivals) others.get(rival.name)?.push(await roundOf(rival))
    }
    const each = (what: (round: OwnRound) => number) => median(rounds.map(what))
    const row = rowOf(own.name, rounds)
    const loginsPerSecondInFlood = each(({ loginsInFlood }) => loginsInFlood)
    return {
      ...row,
      rawHashesPerSecond: each(({ raw }) => raw),
      ofRaw: each(({ storm, raw }) => storm.loginsPerSecond / raw),
      ofRawNiced: each(({ storm, niced }) => storm.loginsPerSecond / niced),
      p99Ratio: each(({ idle, storm }) => latencyOf(storm).p99Ms / latencyOf(idle).p99Ms),
      p50MoreMs: each(({ idle, storm }) => latencyOf(storm).p50Ms - latencyOf(idle).p50Ms),
      loginsPerSecondInFlood,
      floodShare: loginsPerSecondInFlood / row.loginsPerSecond,
      overload: await measureOverload(own.server, SECONDS),
      rivals: [...others].map(([name, rounds]) => rowOf(name, rounds)),
    }
  } finally {
    for (const { server } of opened) await server.stop()
  }
}

/** First without the storm, then in it. */
async function roundOf(contestant: InStorm): Promise<StormRound> {
  return { idle: { ...(await read(contestant, SECONDS)), loginsPerSecond: 0 }, storm: await stormOn(contestant, SECONDS) }
}

async function stormOn(contestant: InStorm, seconds: number): Promise<StormReport> {
  const [reads, loginsPerSecond] = await Promise.all([read(contestant, seconds), logIn(contestant, seconds)])
  return { ...reads, loginsPerSecond }
}

async function read({ name, door, readers, server }: InStorm, seconds: number): Promise<StormReport> {
  const report = await sendClients({ base: server.base, door, readers, readsPerSecond: READS_PER_SECOND, seconds })
  if (report.failures > 0) throw new Error(`${name}: ${report.failures} requests of the storm failed`)
  return report
}

/** Returns the logins per second. */
async function logIn({ name, door, server }: InStorm, seconds: number): Promise<number> {
  const { perSecond, failures } = await logInAll({ base: server.base, door, seconds, connections: LOGINS })
  if (failures > 0) throw new Error(`${name}: ${failures} logins of the storm failed`)
  return perSecond
}

/** The logins per second while cheap requests come as fast as they are answered. */
async function loginsInFlood(contestant: InStorm): Promise<number> {
  const { server, readers } = contestant
  const headers = { Cookie: readers[0] ?? '' }
  const flood = startLoad({ url: `${server.base}/api/profile`, headers, seconds: LONGEST_FLOOD_SECONDS })
  try {
    return await logIn(contestant, SECONDS)
  } finally {
    flood.stop()
    await flood.served
  }
}

function rowOf(name: string, rounds: readonly StormRound[]): StormRow {
  const each = (what: (round: StormRound) => number) => median(rounds.map(what))
  return {
    name,
    loginsPerSecond: each(({ storm }) => storm.loginsPerSecond),
    idle: { p50Ms: each(({ idle }) => latencyOf(idle).p50Ms), p99Ms: each(({ idle }) => latencyOf(idle).p99Ms) },
    storm: { p50Ms: each(({ storm }) => latencyOf(storm).p50Ms), p99Ms: each(({ storm }) => latencyOf(storm).p99Ms) },
  }
}
