// Reads: every contestant in turn, round after round, so that a noisy minute falls on all of them.
import { BARE, type Contestant, contestants, LIBRARY, SERVER } from './contestants.ts'
import type { External } from './external.ts'
import { load } from './generator.ts'
import { logInSimply, type Measured, registerAndLogIn, startApp, startServer } from './processes.ts'
import { median } from './stats.ts'

export interface ReadRow {
  readonly name: string
  /** Medians over the rounds. */
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p99Ms: number
  /** The median of what the rounds' own ratios to bare Express were. */
  readonly timesBare: number
  /** The best round against the best of bare Express: what other programs took from the processor falls out. Not in older results. */
  readonly bestTimesBare?: number
  /** At most so many times bare Express. */
  readonly goal?: number
  /** Another contestant, how many times its CPU time this one takes, and how many it may. */
  readonly against?: { readonly name: string; readonly times: number; readonly most: number }
  readonly onlyInDocs?: boolean
}

export interface ReadResult {
  readonly rows: readonly ReadRow[]
  /** Who could not take part, and why. */
  readonly leftOut: readonly { readonly name: string; readonly because: string }[]
}

export interface ReadOptions {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly external: External
}

interface Host {
  readonly server: Measured
  readonly cookie: string | undefined
}

interface Round {
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p99Ms: number
}

type Rounds = ReadonlyMap<string, readonly Round[]>

export async function measureReads({ rounds, seconds, warmUpSeconds, external }: ReadOptions): Promise<ReadResult> {
  const leftOut = contestants.flatMap(({ name, needs }) => {
    const because = needs && external.missing.get(needs)
    return because === undefined ? [] : [{ name, because }]
  })
  const present = contestants.filter(({ name }) => leftOut.every((left) => left.name !== name))
  const hosts = new Map<string, Host>()
  const results = new Map<string, Round[]>(present.map(({ name }) => [name, []]))
  try {
    for (const { host } of present) if (!hosts.has(host)) hosts.set(host, await open(host, external))
    for (let round = -1; round < rounds; round++) {
      // Not always in the same order: who comes after whom must not matter.
      const turn = Math.max(round, 0) % present.length
      for (const contestant of [...present.slice(turn), ...present.slice(0, turn)]) {
        const host = hosts.get(contestant.host) ?? missing(contestant.host)
        const measured = await measure(host, contestant, round < 0 ? warmUpSeconds : seconds)
        if (round >= 0) results.get(contestant.name)?.push(measured)
      }
    }
  } finally {
    for (const { server } of hosts.values()) await server.stop()
  }
  return { rows: present.map((contestant) => rowOf(contestant, results)), leftOut }
}

function rowOf({ name, goal, against, onlyInDocs }: Contestant, results: Rounds): ReadRow {
  const own = results.get(name) ?? []
  const times = (other: string) =>
    median(own.map(({ cpuMicros }, at) => cpuMicros / (results.get(other)?.[at]?.cpuMicros ?? Number.NaN)))
  const best = (whose: string) => Math.min(...(results.get(whose) ?? []).map(({ cpuMicros }) => cpuMicros))
  return {
    name,
    cpuMicros: median(own.map(({ cpuMicros }) => cpuMicros)),
    perSecond: median(own.map(({ perSecond }) => perSecond)),
    p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
    timesBare: times(BARE),
    bestTimesBare: best(name) / best(BARE),
    ...(goal !== undefined && { goal }),
    ...(against !== undefined && { against: { ...against, times: times(against.name) } }),
    ...(onlyInDocs && { onlyInDocs }),
  }
}

async function measure({ server, cookie }: Host, who: Contestant, seconds: number): Promise<Round> {
  const headers = { ...who.headers, ...(who.as === 'member' && { Cookie: cookie ?? missing('cookie') }) }
  const before = await server.ask()
  const served = await load({ url: server.base + who.path, headers, seconds })
  const after = await server.ask()
  if (served.failures > 0) throw new Error(`${who.name}: ${served.failures} requests failed`)
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / served.requests,
    perSecond: served.perSecond,
    p99Ms: served.p99Ms,
  }
}

async function open(host: string, external: External): Promise<Host> {
  const server = host === SERVER ? await startServer() : await startApp(host, external)
  return { server, cookie: await cookieFrom(host, server.base) }
}

/** Only who needs a login has a cookie. */
async function cookieFrom(host: string, base: string): Promise<string | undefined> {
  if (contestants.every((contestant) => contestant.host !== host || contestant.as === 'anonymous')) return undefined
  return host === SERVER || host === LIBRARY ? registerAndLogIn(base) : logInSimply(base)
}

function missing(name: string): never {
  throw new Error(`${name} is missing`)
}
