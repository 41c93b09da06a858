// The login storm: how many people can log in at once, and what those who are logged in notice of it.
import { startLoad } from './generator.ts'
import { hashRate } from './hash-rate.ts'
import { startServer } from './processes.ts'
import { median } from './stats.ts'
import type { StormReport } from './storm-client.ts'
import { type Latency, latencyOf, sendClients } from './storm-clients.ts'
import { measureOverload, type OverloadResult } from './storm-overload.ts'
import { openRivals, type RivalRow, rivalRow } from './storm-rivals.ts'
import {
  basesOf,
  type InStorm,
  LOGINS,
  OWN_SETTINGS,
  openOwn,
  READERS,
  roundOf,
  type StormRound,
  stormOn,
} from './storm-round.ts'

const QUEUE = 256

export interface StormOptions {
  readonly rounds: number
  readonly seconds: number
}

export interface StormResult {
  readonly loginsPerSecond: number
  readonly rawHashesPerSecond: number
  /** The same threads at the priority that the server gives them: what else runs on the machine passes both alike. */
  readonly rawHashesPerSecondNiced: number
  readonly ofRaw: number
  readonly ofRawNiced: number
  readonly idle: Latency
  readonly storm: Latency
  readonly p99Ratio: number
  readonly p50MoreMs: number
  readonly loginsPerSecondInFlood: number
  readonly floodShare: number
  readonly overload: OverloadResult
  /** Others in the same rounds. Not in older results. */
  readonly rivals?: readonly RivalRow[]
}

interface Round extends StormRound {
  readonly raw: number
  readonly niced: number
  readonly flooded: StormReport
}

export async function measureStorm({ rounds, seconds }: StormOptions): Promise<StormResult> {
  const opened: InStorm[] = []
  try {
    const server = await startServer({ settings: { ...OWN_SETTINGS, HASH_QUEUE: String(QUEUE) } })
    const own = await openOwn('`guildhall serve`', [server])
    opened.push(own)
    const rivals = await openRivals(READERS)
    opened.push(...rivals)
    for (const each of opened) await stormOn(each, 1)

    const runs: Round[] = []
    const others = new Map<string, StormRound[]>(rivals.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      runs.push({
        raw: await hashRate({ ms: seconds * 500, niceness: 0 }),
        niced: await hashRate({ ms: seconds * 500, niceness: 10 }),
        ...(await roundOf(own, seconds)),
        flooded: await inFlood(own, () => sendClients({ bases: basesOf(own), door: own.door, seconds, logins: LOGINS })),
      })
      for (const rival of rivals) others.get(rival.name)?.push(await roundOf(rival, seconds))
    }
    const overload = await measureOverload(server, seconds)
    for (const { flooded } of runs) if (flooded.failures > 0) throw new Error(`${flooded.failures} logins in the flood failed`)

    const each = (what: (run: Round) => number) => median(runs.map(what))
    const loginsPerSecondInFlood = each(({ flooded }) => flooded.loginsPerSecond)
    const { loginsPerSecond, idle, storm } = rivalRow(own.name, runs)
    return {
      loginsPerSecond,
      rawHashesPerSecond: each(({ raw }) => raw),
      rawHashesPerSecondNiced: each(({ niced }) => niced),
      ofRaw: each(({ storm, raw }) => storm.loginsPerSecond / raw),
      ofRawNiced: each(({ storm, niced }) => storm.loginsPerSecond / niced),
      idle,
      storm,
      p99Ratio: each(({ idle, storm }) => latencyOf(storm).p99Ms / latencyOf(idle).p99Ms),
      p50MoreMs: each(({ idle, storm }) => latencyOf(storm).p50Ms - latencyOf(idle).p50Ms),
      loginsPerSecondInFlood,
      floodShare: loginsPerSecondInFlood / loginsPerSecond,
      overload,
      rivals: [...others].map(([name, rounds]) => rivalRow(name, rounds)),
    }
  } finally {
    for (const { servers } of opened) for (const server of servers) await server.stop()
  }
}

/** Cheap requests as fast as they are answered, while `work` goes on. */
async function inFlood<T>({ servers, readers }: InStorm, work: () => Promise<T>): Promise<T> {
  const flood = startLoad({ url: `${servers[0]?.base}/api/profile`, headers: { Cookie: readers[0] ?? '' } }, 120)
  try {
    return await work()
  } finally {
    flood.stop()
  }
}
