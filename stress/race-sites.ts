// The sites of the session races: one process in memory, four on one store, and the membership.
import { digest } from '../src/domain/secret.ts'
import { startChildren } from './children.ts'
import { type Asking, ask, cookieOf } from './http-request.ts'
import { openRaceServer, type RaceChoice, type RaceServer } from './race-environment.ts'
import { openMembership } from './race-membership.ts'
import type { Fact } from './result.ts'
import { type Watch, watch } from './session-probe.ts'
import { availableTargets, type StorageTarget, withTarget } from './storage-targets.ts'

export interface RaceSite {
  readonly name: string
  /** The addresses of its processes. */
  readonly bases: readonly string[]
  readonly login: string
  readonly logout: string
  /** Answers 401 if nobody is logged in. */
  readonly member: string
  readonly account: object
  /** Whether the store still has the session of a cookie; undefined if that cannot be read. */
  has(cookie: string): Promise<boolean | undefined>
  close(): Promise<void>
}

export const PROCESSES = 4
const PLAIN = { login: '/login', logout: '/logout', member: '/member', account: {} }
const MEMBERSHIP = {
  login: '/api/login',
  logout: '/api/logout',
  member: '/api/profile',
  account: { username: 'somebody', password: 'granite lantern ferry' },
}

export async function memorySite(): Promise<RaceSite> {
  return localSite('memory', await openRaceServer({ middleware: 'guildhall', store: { kind: 'memory' } }))
}

/** A server of this process. */
export function localSite(name: string, { base, store, close }: RaceServer): RaceSite {
  const has = async (cookie: string) => (store ? (await store.find(digest(idOf(cookie)))) !== undefined : undefined)
  return { name, bases: [base], ...PLAIN, has, close }
}

/** `guildhall/session` with our own store in four processes on one target. */
export async function sessionSite(target: StorageTarget): Promise<RaceSite> {
  const name = target.redis ? 'Redis' : target.name
  const site = await processesSite(`${name}, four processes`, { middleware: 'guildhall', store: { kind: 'ours', target } })
  return watched(site, await watch(target, 'express_sessions'))
}

function watched(site: RaceSite, { has, close }: Watch): RaceSite {
  return {
    ...site,
    has: (cookie) => has(digest(idOf(cookie))),
    async close() {
      await close()
      await site.close()
    },
  }
}

/** Any middleware and store, in processes of their own. */
export async function processesSite(
  name: string,
  choice: RaceChoice | { readonly middleware: 'membership'; readonly target: StorageTarget },
  count = PROCESSES,
): Promise<RaceSite> {
  const children = await startChildren(count, 'race-process.ts', choice)
  return {
    name,
    bases: children.map(({ base }) => base),
    ...PLAIN,
    has: async () => undefined,
    close: async () => void (await Promise.all(children.map((child) => child.kill()))),
  }
}

/** The membership in this process. */
export async function membershipSite(target: StorageTarget): Promise<RaceSite> {
  const server = await openMembership(target)
  await register(server.base)
  const has = (cookie: string) => server.has(digest(idOf(cookie)))
  return { name: 'membership, one process', bases: [server.base], ...MEMBERSHIP, has, close: server.close }
}

/** The membership in four processes. */
export async function membershipsSite(target: StorageTarget): Promise<RaceSite> {
  const name = `membership on ${target.name}, four processes`
  const site = { ...(await processesSite(name, { middleware: 'membership', target })), ...MEMBERSHIP }
  await register(site.bases[0])
  return watched(site, await watch(target, 'guildhall_sessions'))
}

async function register(base = ''): Promise<void> {
  await ask(`${base}/api/register`, { body: MEMBERSHIP.account })
}

/** Runs a race of sessions in memory, then with each store of ours in four processes, one after the other. */
export async function onEverySite(measure: (site: RaceSite) => Promise<readonly Fact[]>): Promise<readonly Fact[]> {
  const facts = [...(await onSite(memorySite(), measure))]
  for (const name of await availableTargets()) {
    facts.push(...(await withTarget(name, (target) => onSite(sessionSite(target), measure))))
  }
  return facts
}

/** The same for the membership: in one process, then in four on every target. */
export async function onEveryMembership(
  measure: (site: RaceSite, target: StorageTarget) => Promise<readonly Fact[]>,
): Promise<readonly Fact[]> {
  const at = (open: typeof membershipSite) => (target: StorageTarget) => onSite(open(target), (site) => measure(site, target))
  const facts = [...(await withTarget('SQLite', at(membershipSite)))]
  for (const name of await availableTargets()) facts.push(...(await withTarget(name, at(membershipsSite))))
  return facts
}

async function onSite(
  opening: Promise<RaceSite>,
  measure: (site: RaceSite) => Promise<readonly Fact[]>,
): Promise<readonly Fact[]> {
  const site = await opening
  try {
    return await measure(site)
  } finally {
    await site.close()
  }
}

/** The session id in a Cookie header, signed or not. */
function idOf(cookie: string): string {
  const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
  return value.startsWith('s:') ? value.slice(2, value.lastIndexOf('.')) : value
}

/** Logs somebody in through a process chosen at random; gives the Cookie header. */
export async function logIn(site: RaceSite): Promise<string> {
  return cookieOf(await ask(`${anyOf(site.bases)}${site.login}`, { body: site.account }))
}

/** As a person who has this cookie. */
export function withCookie(cookie: string, headers: Readonly<Record<string, string>> = {}): Asking {
  return { headers: { cookie, ...headers } }
}

/** Long enough for what another process wrote to count here: a process reads at most once a millisecond whether others wrote. */
export const OTHER_PROCESS_MS = 3

export function anyOf<T>(list: readonly T[]): T {
  const one = list[Math.floor(Math.random() * list.length)]
  if (one === undefined) throw new TypeError('a list to choose from is empty')
  return one
}

/** One process for the request that ends or replaces the session, others for the rest, at random; the same if there is one only. */
export function parts(bases: readonly string[], others: number): { readonly first: string; readonly rest: readonly string[] } {
  const shuffled = bases.toSorted(() => Math.random() - 0.5)
  const first = shuffled[0] ?? ''
  const left = shuffled.length > 1 ? shuffled.slice(1) : shuffled
  return { first, rest: Array.from({ length: others }, (_, at) => left[at % left.length] ?? first) }
}

/** So many trials, several at a time on several processes. */
export async function repeat(site: RaceSite, trials: number, trial: (number: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < trials) await trial(next++)
  }
  await Promise.all(Array.from({ length: site.bases.length * 2 }, worker))
}

let lastTrial = 0

/** A name that no other trial of this run has. */
export function trialName(): string {
  lastTrial++
  return `trial-${lastTrial}`
}
