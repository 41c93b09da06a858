// Reads: every contestant in turn, cycle after cycle of short rounds, each beside a round of bare Express.
import { watchOthers } from './busyness.ts'
import { BARE, CONTROL, type Contestant, contestants, hasMembers, servers } from './contestants.ts'
import { type Cost, costOfLoad, medianCost } from './cost.ts'
import type { External, StoreCpu } from './external.ts'
import { CONNECTIONS, type Load, load } from './generator.ts'
import { cookieFile, type Measured, serverSettings, startApp, startServer } from './processes.ts'
import { median, type Spread, spreadOf } from './stats.ts'
import { BEHIND_PROXY, logInSimply, registerAndLogIn } from './visitors.ts'

export interface ReadRow {
  readonly name: string
  /** CPU time for one request, against bare Express in the neighbouring round. */
  readonly timesBare: Spread
  /** Medians over the cycles. */
  readonly cpuMicros: number
  readonly perSecond: number
  readonly p99Ms: number
  /** CPU time of the processes of PostgreSQL and Redis for one request, where they can be seen. */
  readonly storeMicros?: StoreCpu
  /** At most so many times bare Express. */
  readonly goal?: number
  readonly inReadme?: boolean
}

export interface ReadResult {
  readonly rows: readonly ReadRow[]
  /** Who could not take part, and why. */
  readonly leftOut: readonly { readonly name: string; readonly because: string }[]
  readonly cycles: number
}

export interface ReadOptions {
  /** Quiet cycles. One in which the machine had something else to do is taken again. */
  readonly cycles: number
  /** Disturbed cycles count as well. */
  readonly anyway: boolean
  readonly external: External
  /** Only contestants with such a name. */
  readonly among?: RegExp | undefined
}

/** Before the first cycle: until all is compiled. */
const WARM_UP_SECONDS = 2
/** Before each round, not measured: who waited long for its turn has given back memory, and its pools their connections. */
const RUN_UP_SECONDS = 0.25
const ROUND_SECONDS = 0.5
/** All cycles together, those included that are taken again because they were disturbed. */
const LONGEST_MS = 600_000
/** The control may differ from bare Express by so much. */
const CONTROL_MAY_DIFFER = 0.05
/** They come in turn: a store that is asked for the same session again and again would look better than it is, or worse. */
const VISITORS = CONNECTIONS

interface Host {
  readonly server: Measured
  /** Of all visitors; none where nobody needs a login. */
  readonly cookies: readonly string[]
  readonly cookieFile: string
}

interface Round extends Cost {
  readonly perSecond: number
  readonly p99Ms: number
}

interface Pair {
  readonly own: Round
  readonly bare: Round
}

type Hosts = ReadonlyMap<string, Host>

type Cycle = ReadonlyMap<Contestant, Pair>

/** What was measured, and what says that it should not be believed. */
export async function measureReads(options: ReadOptions): Promise<{ result: ReadResult; busy: readonly string[] }> {
  const { external, among } = options
  const wanted = contestants.filter(({ name }) => among === undefined || among.test(name))
  const leftOut = wanted.flatMap(({ name, needs }) => {
    const because = needs?.flatMap((need) => external.missing.get(need) ?? []).join(', and ')
    return because ? [{ name, because }] : []
  })
  const present = wanted.filter(({ name }) => leftOut.every((left) => left.name !== name))
  const hosts = new Map<string, Host>()
  try {
    for (const { host } of [BARE, ...present]) if (!hosts.has(host)) hosts.set(host, await open(host, external))
    const { kept, busy } = await takeCycles(present, hosts, options)
    const bare = kept.flatMap((cycle) => [...cycle.values()]).map((pair) => ({ own: pair.bare, bare: pair.bare }))
    const pairsOf = (each: Contestant) => kept.flatMap((cycle) => cycle.get(each) ?? [])
    const rows = [rowOf(BARE, bare), ...present.map((each) => rowOf(each, pairsOf(each)))]
    return { result: { rows, leftOut, cycles: kept.length }, busy: [...busy, ...whatTheControlSays(rows)] }
  } finally {
    for (const { server } of hosts.values()) await server.stop()
  }
}

/** Ends early where there is no time left for enough quiet cycles: what was measured until then is only to be looked at. */
async function takeCycles(present: readonly Contestant[], hosts: Hosts, { cycles, anyway, external }: ReadOptions) {
  for (const each of [BARE, ...present]) await load(loadOf(each, hostOf(each, hosts), WARM_UP_SECONDS))
  const startedAt = performance.now()
  const quiet: Cycle[] = []
  const disturbed: Cycle[] = []
  const disturbances: string[] = []
  const taken = () => quiet.length + disturbed.length
  const toGo = () => cycles - (anyway ? taken() : quiet.length)
  const isInTime = () => taken() === 0 || ((performance.now() - startedAt) / taken()) * (taken() + toGo()) < LONGEST_MS
  while (toGo() > 0 && isInTime()) {
    // Not always in the same order: who comes after whom must not matter.
    const turn = taken() % present.length
    const busySince = watchOthers({ storesAreOurs: true })
    const cycle = await cycleOf([...present.slice(turn), ...present.slice(0, turn)], hosts, external)
    const busy = busySince()
    if (busy.length === 0) quiet.push(cycle)
    else disturbed.push(cycle)
    disturbances.push(...busy)
    console.error(`  cycle ${taken()}, ${quiet.length} of ${cycles} quiet${busy.map((what) => `\n    ${what}`).join('')}`)
  }
  if (quiet.length === cycles) return { kept: quiet, busy: [] }
  const counted = `${disturbed.length} of ${taken()} cycles were disturbed, the last of them as follows`
  return { kept: [...quiet, ...disturbed], busy: [counted, ...disturbances.slice(-1)] }
}

/** Two contestants at a time, and bare Express between them: each is compared with the round next to its own. */
async function cycleOf(turn: readonly Contestant[], hosts: Hosts, external: External): Promise<Cycle> {
  const pairs = new Map<Contestant, Pair>()
  for (let at = 0; at < turn.length; at += 2) {
    const [before, after] = turn.slice(at, at + 2)
    const first = before && (await roundOf(before, hosts, external))
    const bare = await roundOf(BARE, hosts, external)
    const second = after && (await roundOf(after, hosts, external))
    if (before && first) pairs.set(before, { own: first, bare })
    if (after && second) pairs.set(after, { own: second, bare })
  }
  return pairs
}

async function roundOf(who: Contestant, hosts: Hosts, external: External): Promise<Round> {
  const host = hostOf(who, hosts)
  await load(loadOf(who, host, RUN_UP_SECONDS))
  const { cpuMicros, stores, result } = await costOfLoad(host.server, external, who.needs ?? [], loadOf(who, host, ROUND_SECONDS))
  return { cpuMicros, stores, perSecond: result.perSecond, p99Ms: result.p99Ms }
}

function loadOf({ path, as, headers }: Contestant, { server, cookies, cookieFile }: Host, seconds: number): Load {
  const url = server.base + path
  if (as === 'anonymous') return { url, seconds, ...(headers && { headers }) }
  return { url, seconds, headers: { ...headers, Cookie: cookies[0] ?? missing('cookie') }, cookies: cookieFile }
}

function hostOf({ host }: Contestant, hosts: Hosts): Host {
  return hosts.get(host) ?? missing(host)
}

function rowOf({ name, goal, needs, inReadme }: Contestant, pairs: readonly Pair[]): ReadRow {
  const each = (what: (round: Round) => number) => median(pairs.map(({ own }) => what(own)))
  return {
    name,
    timesBare: spreadOf(pairs.map(({ own, bare }) => own.cpuMicros / bare.cpuMicros)),
    cpuMicros: each(({ cpuMicros }) => cpuMicros),
    perSecond: each(({ perSecond }) => perSecond),
    p99Ms: each(({ p99Ms }) => p99Ms),
    ...(needs && { storeMicros: medianCost(pairs.map(({ own }) => own)).stores }),
    ...(goal !== undefined && { goal }),
    ...(inReadme && { inReadme }),
  }
}

function whatTheControlSays(rows: readonly ReadRow[]): readonly string[] {
  const control = rows.find(({ name }) => name === CONTROL)?.timesBare.median ?? 1
  if (Math.abs(control - 1) <= CONTROL_MAY_DIFFER) return []
  return [
    `bare Express took ${control.toFixed(2)} times as much as itself in another process (at most ${CONTROL_MAY_DIFFER} off 1)`,
  ]
}

async function open(host: string, external: External): Promise<Host> {
  const needs = servers.get(host)
  const server = needs
    ? await startServer({ settings: { ...BEHIND_PROXY, ...(await serverSettings(needs, external)) } })
    : await startApp(host, external)
  const needsLogin = contestants.some((contestant) => contestant.host === host && contestant.as === 'member')
  const logIn = hasMembers(host) ? registerAndLogIn : logInSimply
  const cookies: string[] = []
  for (let index = 0; needsLogin && index < VISITORS; index++) cookies.push(await logIn(server.base, index))
  return { server, cookies, cookieFile: cookieFile(cookies) }
}

function missing(name: string): never {
  throw new Error(`${name} is missing`)
}
