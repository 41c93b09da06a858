// Two processes on one target, people on both, and a fault: how they were answered, and how soon all was well.
import { setTimeout as sleep } from 'node:timers/promises'
import { ownFolder, removeFolder } from '../test/support/own-server.ts'
import { type Child, startChild } from './children.ts'
import type { AppChoice, Probe } from './fault-app.ts'
import { type Answered, anyAddress, Load } from './fault-load.ts'
import { type Asking, ask } from './http-request.ts'
import { atLeast, exactly, type Fact, underMs } from './result.ts'
import { type Served, serve } from './serve.ts'

const BEFORE_MS = 500
const QUIET_MS = 1000
const LONGEST_WAIT_MS = 60_000
const HANG_MS = 5000
/** The deadline of a call, and a fifth for what is around it. */
const LONGEST_CALL_MS = 600
/** What asks the store for several things waits for each that it is given. */
const MAX_REQUEST_MS = 2000
/** Pages that ask once. */
const READS = new Set(['/api/profile', '/profile', '/diary', '/who'])
const BACK_MS = 2000

export interface Environment {
  readonly load: Load
  readonly bases: readonly [string, string]
  /** What the application saw of its store since the last look. */
  probe(): Promise<Probe>
}

export interface Fault {
  /** The text before each fact. */
  readonly name: string
  readonly lastsMs: number
  breakIt(): Promise<void> | void
  restoreIt(): Promise<void> | void
  /** How many answers 503 there are at least: otherwise nothing was broken. */
  readonly atLeast503?: number
}

/** Both processes are gone when `work` is done. */
export async function withEnvironment<T>(
  { database, redis }: AppChoice,
  work: (environment: Environment) => Promise<T>,
): Promise<T> {
  const folder = ownFolder()
  let served: Served | undefined
  let app: Child | undefined
  try {
    const settings = { TRUST_PROXY: '1', ...(redis !== undefined && { REDIS_URL: redis }) }
    served = await serve({ target: { folder, database, redis: undefined }, settings })
    app = await startChild('fault-app.ts', { database, ...(redis !== undefined && { redis }) } satisfies AppChoice)
    const bases = [served.base, app.base] as const
    const load = new Load(bases)
    await load.gather()
    return await work({ load, bases, probe: async () => JSON.parse((await ask(`${app?.base}/probe`)).text) })
  } finally {
    await app?.kill()
    await served?.kill()
    removeFolder(folder)
  }
}

/** Breaks, waits, repairs, and waits until no request is answered 503 any more. The load runs already. */
export async function suffer(
  environment: Environment,
  { name, lastsMs, breakIt, restoreIt, atLeast503 = 1 }: Fault,
): Promise<readonly Fact[]> {
  const { load } = environment
  await sleep(BEFORE_MS)
  await environment.probe()
  const before = load.answered.length
  await breakIt()
  await sleep(lastsMs)
  await restoreIt()
  const repairedAt = performance.now()
  const isBack = await quiet(load, repairedAt)
  const answered = load.answered.slice(before)
  const count503 = answered.filter(({ status }) => status === 503).length
  const longest = (fits: (one: Answered) => boolean) => Math.max(0, ...answered.filter(fits).map(({ ms }) => ms))
  const { longestCallMs, isUnhurt } = await environment.probe()
  return [
    atLeast(`${name}: answers 503`, atLeast503, count503),
    underMs(
      `${name}: longest answer to a member who reads`,
      LONGEST_CALL_MS,
      longest(({ path }) => READS.has(path)),
    ),
    underMs(
      `${name}: longest answer of all`,
      MAX_REQUEST_MS,
      longest(() => true),
    ),
    underMs(`${name}: longest call to the store`, LONGEST_CALL_MS, longestCallMs),
    underMs(`${name}: last 503 after the return`, BACK_MS, load.lastAt(503, repairedAt) - repairedAt),
    exactly(`${name}: processes that were not well again by themselves`, 0, Number(!isBack) + Number(!isUnhurt)),
  ]
}

/** What holds whatever happened, once everybody has stopped. */
export async function factsOf({ load, bases }: Environment): Promise<readonly Fact[]> {
  const statuses = load.answered.map(({ status }) => status)
  const alive = await Promise.all(bases.map((base) => ask(`${base}/login`).then(isOk, no)))
  const count = (fits: (status: number | 'nothing') => boolean) => statuses.filter(fits).length
  const late = load.answered.filter(({ ms }) => ms > HANG_MS).length
  return [
    atLeast('answers', 100, statuses.length),
    exactly(
      'answers 5xx other than 503',
      0,
      count((status) => typeof status === 'number' && status >= 500 && status !== 503),
    ),
    exactly(
      'requests without an answer',
      0,
      count((status) => status === 'nothing'),
    ),
    { ...exactly(`answers after more than ${HANG_MS / 1000} s`, 0, late), isTime: true },
    exactly(`other answers that do not fit${inWords(load.others)}`, 0, sum(load.others)),
    exactly(`members who were taken for strangers${inWords(load.strangers)}`, 0, sum(load.strangers)),
    exactly(`people who were taken for somebody else${inWords(load.wrongGrants)}`, 0, sum(load.wrongGrants)),
    exactly('processes that ended', 0, alive.filter((one) => !one).length),
  ]
}

/** The status, once the store is there again. Each time from elsewhere. */
export async function judged(url: string, asking: Asking): Promise<number> {
  const headers = { 'x-forwarded-for': anyAddress(), ...asking.headers }
  const deadline = performance.now() + LONGEST_WAIT_MS
  for (;;) {
    const { status } = await ask(url, { ...asking, headers })
    if (status !== 503 || performance.now() > deadline) return status
    await sleep(20)
  }
}

/** The same facts of several rounds as one: what is counted is added up, of times the longest counts. */
export function inAll(rounds: readonly (readonly Fact[])[]): readonly Fact[] {
  const byName = Map.groupBy(rounds.flat(), ({ what }) => what)
  return [...byName.values()].flatMap((facts) => {
    const [first] = facts
    if (first === undefined) return []
    const measured = facts.map((fact) => fact.measured)
    const together = first.isTime ? Math.max(...measured) : measured.reduce((total, one) => total + one, 0)
    return [{ ...first, measured: together, holds: facts.every(({ holds }) => holds) }]
  })
}

/** Waits until no request was answered 503 for a while. */
async function quiet(load: Load, since: number): Promise<boolean> {
  while (performance.now() - since < LONGEST_WAIT_MS) {
    if (performance.now() - load.lastAt(503, since) > QUIET_MS) return true
    await sleep(50)
  }
  return false
}

/** Empty without an error. */
function inWords(what: ReadonlyMap<string, number>): string {
  return what.size === 0 ? '' : ` (${[...what].map(([words, count]) => `${words}: ${count}`).join(', ')})`
}

function sum(what: ReadonlyMap<string, number>): number {
  return [...what.values()].reduce((total, count) => total + count, 0)
}

const isOk = ({ status }: { readonly status: number }): boolean => status === 200
const no = () => false
