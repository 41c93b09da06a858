// Reads: every contestant in turn, round after round, so that a noisy minute falls on all of them.
import { BARE, type Contestant, contestants, hasMembers, servers } from './contestants.ts'
import { type Cost, costOfLoad, medianCost } from './cost.ts'
import type { External, StoreCpu } from './external.ts'
import { CONNECTIONS } from './generator.ts'
import { memberName, networkOf } from './members.ts'
import { cookieFile, logInSimply, type Measured, registerAndLogIn, serverSettings, startApp, startServer } from './processes.ts'
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
  /** CPU time of the processes of PostgreSQL and Redis for one request, where they can be seen. */
  readonly storeMicros?: StoreCpu
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
  /** Takes only contestants with such a name, those that they are compared with, and bare Express. */
  readonly among?: RegExp | undefined
}

interface Host {
  readonly server: Measured
  /** Of all visitors; none where nobody needs a login. */
  readonly cookies: readonly string[]
  readonly cookieFile: string
}

/** They come in turn: a store that is asked for the same session again and again would look better than it is, or worse. */
const VISITORS = CONNECTIONS

interface Round extends Cost {
  readonly perSecond: number
  readonly p99Ms: number
}

type Rounds = ReadonlyMap<string, readonly Round[]>

export async function measureReads({ rounds, seconds, warmUpSeconds, external, among }: ReadOptions): Promise<ReadResult> {
  const wanted = contestants.filter((each) => among === undefined || isAmong(each, among))
  const leftOut = wanted.flatMap(({ name, needs }) => {
    const because = needs?.flatMap((need) => external.missing.get(need) ?? []).join(', and ')
    return because ? [{ name, because }] : []
  })
  const present = wanted.filter(({ name }) => leftOut.every((left) => left.name !== name))
  const hosts = new Map<string, Host>()
  const results = new Map<string, Round[]>(present.map(({ name }) => [name, []]))
  try {
    for (const { host } of present) if (!hosts.has(host)) hosts.set(host, await open(host, external))
    for (let round = -1; round < rounds; round++) {
      // Not always in the same order: who comes after whom must not matter.
      const turn = Math.max(round, 0) % present.length
      for (const contestant of [...present.slice(turn), ...present.slice(0, turn)]) {
        const host = hosts.get(contestant.host) ?? missing(contestant.host)
        const measured = await measure(host, contestant, round < 0 ? warmUpSeconds : seconds, external)
        if (round >= 0) results.get(contestant.name)?.push(measured)
      }
    }
  } finally {
    for (const { server } of hosts.values()) await server.stop()
  }
  return { rows: present.map((contestant) => rowOf(contestant, results)), leftOut }
}

function isAmong({ name }: Contestant, among: RegExp): boolean {
  const rivals = contestants.flatMap((each) => (among.test(each.name) ? [each.name, each.against?.name ?? BARE] : BARE))
  return rivals.includes(name)
}

function rowOf({ name, goal, against, needs, onlyInDocs }: Contestant, results: Rounds): ReadRow {
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
    ...(needs && { storeMicros: medianCost(own).stores }),
    ...(onlyInDocs && { onlyInDocs }),
  }
}

async function measure(
  { server, cookies, cookieFile }: Host,
  who: Contestant,
  seconds: number,
  external: External,
): Promise<Round> {
  const asMember = who.as === 'member' && { Cookie: cookies[0] ?? missing('cookie') }
  const headers = { ...who.headers, ...asMember }
  const url = server.base + who.path
  // Connections to the stores that were closed since the last round are made before the measurement begins.
  if (who.needs) await Promise.all(Array.from({ length: CONNECTIONS }, async () => (await fetch(url, { headers })).arrayBuffer()))
  const given = { url, headers, seconds, ...(asMember && { cookies: cookieFile }) }
  const { cpuMicros, stores, result } = await costOfLoad(server, external, who.needs ?? [], given)
  return { cpuMicros, stores, perSecond: result.perSecond, p99Ms: result.p99Ms }
}

async function open(host: string, external: External): Promise<Host> {
  const needs = servers.get(host)
  // As behind a proxy: each visitor registers from a network of their own.
  const server = needs
    ? await startServer({ settings: { TRUST_PROXY: '1', ...(await serverSettings(needs, external)) } })
    : await startApp(host, external)
  const needsLogin = contestants.some((contestant) => contestant.host === host && contestant.as === 'member')
  const cookies: string[] = []
  for (let index = 0; needsLogin && index < VISITORS; index++) cookies.push(await cookieOf(host, server.base, index))
  return { server, cookies, cookieFile: cookieFile(cookies) }
}

function cookieOf(host: string, base: string, index: number): Promise<string> {
  if (!hasMembers(host)) return logInSimply(base, index)
  return registerAndLogIn(base, { username: memberName(index), network: networkOf(index) })
}

function missing(name: string): never {
  throw new Error(`${name} is missing`)
}
