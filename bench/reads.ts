// Reads: each contestant in turn, in short rounds beside rounds of bare Express.
import { watchOthers } from './busyness.ts'
import { BARE, CONTROL, type Contestant, contestants, hasMembers, servers } from './contestants.ts'
import { type Cores, shareCores } from './cores.ts'
import { type Cost, costOfLoad, medianCost } from './cost.ts'
import type { External, StoreCpu } from './external.ts'
import { CONNECTIONS, type Load, load } from './generator.ts'
import { linesFile, type Measured, serverSettings, startApp, startServer } from './processes.ts'
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
  /** Rounds of each contestant, each with one of bare Express. */
  readonly pairs: number
}

export interface ReadOptions {
  /** In each of which every contestant has a turn, in new processes. */
  readonly cycles: number
  /** Disturbed turns count as well. */
  readonly anyway: boolean
  readonly external: External
  /** Only contestants with such a name. */
  readonly among?: RegExp | undefined
}

/** Of each process before it is measured: until all is compiled. */
const WARM_UP_SECONDS = 2.5
const ROUND_SECONDS = 0.5
/** Of each contestant in a cycle, each beside a round of bare Express. */
const PAIRS = 5
/** A turn in which the machine had something else to do is taken again, up to so often. */
const MAX_ATTEMPTS = 3
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

type Pairs = ReadonlyMap<Contestant, readonly Pair[]>

/** What was measured, and what says that it should not be believed. */
export async function measureReads(options: ReadOptions): Promise<{ result: ReadResult; busy: readonly string[] }> {
  const { external, among, cycles } = options
  const wanted = contestants.filter(({ name }) => among === undefined || among.test(name))
  const leftOut = wanted.flatMap(({ name, needs }) => {
    const because = needs?.flatMap((need) => external.missing.get(need) ?? []).join(', and ')
    return because ? [{ name, because }] : []
  })
  const present = wanted.filter(({ name }) => leftOut.every((left) => left.name !== name))
  const cores = shareCores()
  try {
    const { pairs, busy } = await takeCycles(present, cores, options)
    const bare = [...pairs.values()].flat().map((pair) => ({ own: pair.bare, bare: pair.bare }))
    const rows = [rowOf(BARE, bare), ...present.map((each) => rowOf(each, pairs.get(each) ?? []))]
    return { result: { rows, leftOut, pairs: cycles * PAIRS }, busy: [...busy, ...whatTheControlSays(rows)] }
  } finally {
    cores.release()
  }
}

async function takeCycles(present: readonly Contestant[], cores: Cores, { cycles, anyway, external }: ReadOptions) {
  const pairs = new Map<Contestant, Pair[]>()
  const disturbances: string[] = []
  const hosts = [...new Set(present.map(({ host }) => host))]
  for (let cycle = 1; cycle <= cycles; cycle++) {
    for (const host of hosts) {
      const guests = present.filter((each) => each.host === host)
      const { taken, busy } = await quietTurnOf(host, guests, cores, external, anyway ? 1 : MAX_ATTEMPTS)
      for (const [each, more] of taken) pairs.set(each, [...(pairs.get(each) ?? []), ...more])
      disturbances.push(...busy)
    }
    console.error(`  cycle ${cycle} of ${cycles}`)
  }
  return { pairs, busy: anyway ? [] : disturbances }
}

/** A turn, and what disturbed it: the last of so many attempts if none was quiet. */
async function quietTurnOf(
  host: string,
  guests: readonly Contestant[],
  cores: Cores,
  external: External,
  attempts: number,
): Promise<{ taken: Pairs; busy: readonly string[] }> {
  const busySince = watchOthers({ storesAreOurs: true })
  const taken = await turnOf(host, guests, cores, external)
  const busy = busySince()
  if (busy.length > 0) console.error(`  ${host}: ${busy.join(', ')}`)
  return busy.length > 0 && attempts > 1 ? quietTurnOf(host, guests, cores, external, attempts - 1) : { taken, busy }
}

/**
 * One host beside bare Express, both in new processes that work without a pause: the kernel takes back the memory of one that waits,
 * and two processes of one program differ by a twentieth for as long as they live.
 */
async function turnOf(host: string, guests: readonly Contestant[], cores: Cores, external: External): Promise<Pairs> {
  const pairs = new Map<Contestant, Pair[]>(guests.map((each) => [each, []]))
  const own = await open(host, cores, external)
  const bare = await open(BARE.host, cores, external)
  try {
    await load(loadOf(BARE, bare, WARM_UP_SECONDS))
    for (const each of guests) await load(loadOf(each, own, WARM_UP_SECONDS))
    for (let round = 0; round < PAIRS; round++) {
      for (const each of guests) {
        const beside = await roundOf(BARE, bare, external)
        pairs.get(each)?.push({ own: await roundOf(each, own, external), bare: beside })
      }
    }
    return pairs
  } finally {
    await own.server.stop()
    await bare.server.stop()
  }
}

async function roundOf(who: Contestant, host: Host, external: External): Promise<Round> {
  const { cpuMicros, stores, result } = await costOfLoad(host.server, external, who.needs ?? [], loadOf(who, host, ROUND_SECONDS))
  return { cpuMicros, stores, perSecond: result.perSecond, p99Ms: result.p99Ms }
}

function loadOf({ path, as, headers }: Contestant, { server, cookies, cookieFile }: Host, seconds: number): Load {
  const url = server.base + path
  if (as === 'anonymous') return { url, seconds, ...(headers && { headers }) }
  return { url, seconds, headers: { ...headers, Cookie: cookies[0] ?? missing('cookie') }, cookies: cookieFile }
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

async function open(host: string, cores: Cores, external: External): Promise<Host> {
  const needs = servers.get(host)
  const server = needs
    ? await startServer({ settings: { ...BEHIND_PROXY, ...(await serverSettings(needs, external)) } })
    : await startApp(host, external)
  cores.forServer(server.pid)
  const needsLogin = contestants.some((contestant) => contestant.host === host && contestant.as === 'member')
  const logIn = hasMembers(host) ? registerAndLogIn : logInSimply
  const cookies: string[] = []
  for (let index = 0; needsLogin && index < VISITORS; index++) cookies.push(await logIn(server.base, index))
  return { server, cookies, cookieFile: linesFile(cookies) }
}

function missing(name: string): never {
  throw new Error(`${name} is missing`)
}
