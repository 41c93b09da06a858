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
  readonly external: External
  /** Only contestants with such a name. */
  readonly among?: RegExp | undefined
}

/** Before the first cycle: until all is compiled. */
const WARM_UP_SECONDS = 2
/** Before each round, not measured: who waited long for its turn has given back memory, and its pools their connections. */
const RUN_UP_SECONDS = 0.25
const ROUND_SECONDS = 0.5
/** Disturbed cycles are taken again for so long, from the first one on. */
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
    const bareRounds = kept.flatMap((cycle) => [...cycle.values()].map(({ bare }) => bare))
    const rows = [
      rowOf(
        BARE,
        bareRounds.map((bare) => ({ own: bare, bare })),
      ),
      ...present.map((each) =>
        rowOf(
          each,
          kept.flatMap((cycle) => cycle.get(each) ?? []),
        ),
      ),
    ]
    return { result: { rows, leftOut, cycles: kept.length }, busy: [...busy, ...whatTheControlSays(rows)] }
  } finally {
    for (const { server } of hosts.values()) await server.stop()
  }
}

/** Where the time does not suffice for enough quiet cycles, those that were taken last are kept with the rest. */
async function takeCycles(present: readonly Contestant[], hosts: ReadonlyMap<string, Host>, { cycles, external }: ReadOptions) {
  for (const each of [BARE, ...present]) await load(loadOf(each, hostOf(each, hosts), WARM_UP_SECONDS))
  const startedAt = performance.now()
  const quiet: Cycle[] = []
  const noisy: { readonly cycle: Cycle; readonly busy: readonly string[] }[] = []
  while (quiet.length < cycles) {
    const turn = (quiet.length + noisy.length) % present.length
    const busySince = watchOthers({ storesAreOurs: true })
    // Not always in the same order: who comes after whom must not matter.
    const cycle = await cycleOf([...present.slice(turn), ...present.slice(0, turn)], hosts, external)
    const busy = busySince()
    if (busy.length === 0) quiet.push(cycle)
    else noisy.push({ cycle, busy })
    const taken = quiet.length + noisy.length
    console.error(`  cycle ${taken}, ${quiet.length} of ${cycles} quiet${busy.map((what) => `\n    ${what}`).join('')}`)
    const perCycleMs = (performance.now() - startedAt) / taken
    if (performance.now() - startedAt + perCycleMs > LONGEST_MS || noisy.length > cycles) break
  }
  const lacking = noisy.slice(0, cycles - quiet.length)
  const busy = lacking.length === 0 ? [] : [`${noisy.length} of ${quiet.length + noisy.length} cycles were disturbed`]
  return { kept: [...quiet, ...lacking.map(({ cycle }) => cycle)], busy: [...busy, ...(lacking.at(-1)?.busy ?? [])] }
}

/** Two contestants at a time, and bare Express between them: each is compared with the round next to its own. */
async function cycleOf(turn: readonly Contestant[], hosts: ReadonlyMap<string, Host>, external: External): Promise<Cycle> {
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

async function roundOf(who: Contestant, hosts: ReadonlyMap<string, Host>, external: External): Promise<Round> {
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

function hostOf({ host }: Contestant, hosts: ReadonlyMap<string, Host>): Host {
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
