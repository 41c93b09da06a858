// The login storm: how many people can log in at once, and what those who are logged in notice of it.
import { startLoad } from './generator.ts'
import { hashRate } from './hash-rate.ts'
import { MEMBERS, memberName, networkOf } from './members.ts'
import { register, registerAndLogIn, startServer } from './processes.ts'
import { median } from './stats.ts'
import type { StormReport } from './storm-client.ts'
import { type Latency, latencyOf, sendClients } from './storm-clients.ts'
import { measureOverload, type OverloadResult } from './storm-overload.ts'
import { API_LOGIN, type InStorm, openRivals, type RivalRow, rivalRow, type StormRound } from './storm-rivals.ts'

const LOGINS = 32
const READERS = 4
const READS_PER_SECOND = 200
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
    const own = await openOwn()
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
        flooded: await inFlood(own, () => sendClients({ base: own.server.base, door: own.door, seconds, logins: LOGINS })),
      })
      for (const rival of rivals) others.get(rival.name)?.push(await roundOf(rival, seconds))
    }
    const overload = await measureOverload(own.server, seconds)
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
    for (const { server } of opened) await server.stop()
  }
}

/** First without the storm, then in it. */
async function roundOf(who: InStorm, seconds: number): Promise<StormRound> {
  const { server, door, readers } = who
  const idle = await sendClients({ base: server.base, door, seconds, readers, readsPerSecond: READS_PER_SECOND })
  const storm = await stormOn(who, seconds)
  const failures = idle.failures + storm.failures
  if (failures > 0) throw new Error(`${who.name}: ${failures} requests of the storm failed`)
  return { idle, storm }
}

function stormOn({ server, door, readers }: InStorm, seconds: number): Promise<StormReport> {
  return sendClients({ base: server.base, door, seconds, readers, readsPerSecond: READS_PER_SECOND, logins: LOGINS })
}

/** Everybody who will log in has an account; the readers are logged in. */
async function openOwn(): Promise<InStorm> {
  // Behind a proxy, as far as the server knows: each client comes from a network of its own, and the throttle lets all of them in.
  const server = await startServer({ settings: { TRUST_PROXY: '1', HASH_QUEUE: String(QUEUE) } })
  const names = Array.from({ length: MEMBERS }, (_, index) => index)
  while (names.length > 0) {
    await Promise.all(names.splice(0, 16).map((index) => register(server.base, memberName(index), networkOf(index))))
  }
  const readers: string[] = []
  for (let reader = 0; reader < READERS; reader++) {
    const username = `reader-${reader}`
    readers.push(await registerAndLogIn(server.base, { username, network: networkOf(MEMBERS + reader) }))
  }
  return { name: '`guildhall serve`', door: API_LOGIN, server, readers }
}

/** Cheap requests as fast as they are answered, while `work` goes on. */
async function inFlood<T>({ server, readers }: InStorm, work: () => Promise<T>): Promise<T> {
  const flood = startLoad({ url: `${server.base}/api/profile`, headers: { Cookie: readers[0] ?? '' } }, 120)
  try {
    return await work()
  } finally {
    flood.stop()
  }
}
