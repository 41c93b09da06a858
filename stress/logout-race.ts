// D-22, F-30: a logout against requests of the same session that write afterwards: it stays gone.
import { setTimeout as sleep } from 'node:timers/promises'
import { allAtBarrier, type Barrier, barrierHeaders, letGo } from './barriers.ts'
import { ask } from './http-request.ts'
import {
  anyOf,
  logIn,
  OTHER_PROCESS_MS,
  onEveryMembership,
  onEverySite,
  parts,
  type RaceSite,
  repeat,
  trialName,
  withCookie,
} from './race-sites.ts'
import { exactly, type Fact, type StressRun } from './result.ts'

/** The barriers of the slow requests during the logout. */
const BARRIERS = ['handler', 'read', 'save', 'touch'] as const

const WRITERS = 2
const LATER_MS = '61000' // One request in this interval marks the session as seen.

export const logoutRace: StressRun = {
  id: 'D-22, F-30',
  title: 'a logout cannot be undone by a request that is still running',
  run: (size) => measure(size === 'full' ? 10_000 : 40),
}

async function measure(logouts: number): Promise<readonly Fact[]> {
  const sessions = await onEverySite((site) => measureAt(site, logouts))
  return [...sessions, ...(await onEveryMembership((site) => measureAt(site, logouts / 4)))]
}

async function measureAt(site: RaceSite, logouts: number): Promise<readonly Fact[]> {
  const seen = await raceLogouts(site, logouts)
  return [
    exactly(`${site.name}: logouts, each against ${WRITERS} slow requests`, logouts, seen.logouts),
    exactly(`${site.name}: slow requests that went on after the logout`, logouts * WRITERS, seen.lateRequests),
    exactly(`${site.name}: sessions that came back into the store`, 0, seen.cameBack),
    exactly(`${site.name}: old cookies that were let in`, 0, seen.letIn),
    exactly(`${site.name}: old cookies that were let in at the end of all`, 0, seen.letInAtTheEnd),
    exactly(`${site.name}: late answers that set a cookie`, 0, seen.cookies),
    exactly(`${site.name}: late answers 5xx`, 0, seen.failures),
  ]
}

export interface LogoutTally {
  logouts: number
  lateRequests: number
  cameBack: number
  letIn: number
  letInAtTheEnd: number
  cookies: number
  failures: number
}

export async function raceLogouts(
  site: RaceSite,
  logouts: number,
  barriers: readonly Barrier[] = BARRIERS,
): Promise<LogoutTally> {
  const seen = { logouts: 0, lateRequests: 0, cameBack: 0, letIn: 0, letInAtTheEnd: 0, cookies: 0, failures: 0 }
  const cookies: string[] = []
  await repeat(site, logouts, async (trial) => {
    cookies.push(await raceOnce(site, barriers[trial % barriers.length] ?? 'handler', seen))
  })
  await repeat(site, cookies.length, async (at) => {
    if (await isMember(site, cookies[at] ?? '')) seen.letInAtTheEnd++
  })
  return seen
}

async function raceOnce(site: RaceSite, barrier: Barrier, seen: LogoutTally): Promise<string> {
  const cookie = await logIn(site)
  if ((await site.has(cookie)) === false) throw new Error(`${site.name}: a session that has just begun is not in its store`)
  const { first, rest } = parts(site.bases, WRITERS)
  const trial = trialName()
  // Nobody waits for a touch: its request continues and waits in the handler.
  const headers =
    barrier === 'touch' ? { ...barrierHeaders(trial, 'touch', 'handler'), 'x-later': LATER_MS } : barrierHeaders(trial, barrier)
  const slow = rest.map((base) => ask(`${base}/slow/${trial}`, withCookie(cookie, headers)))
  await allAtBarrier(trial, barrier === 'touch' ? 'handler' : barrier, rest)
  const logout = await ask(`${first}${site.logout}`, { body: {}, headers: { cookie } })
  if (logout.status === 204) seen.logouts++
  await letGo(trial, rest)

  for (const { status, setCookies } of await Promise.all(slow)) {
    seen.lateRequests++
    if (setCookies.length > 0) seen.cookies++
    if (status >= 500) seen.failures++
  }
  // Whatever else was written late had its time.
  await sleep(site.bases.length > 1 ? OTHER_PROCESS_MS : 0)
  if (await site.has(cookie)) seen.cameBack++
  if (await isMember(site, cookie)) seen.letIn++
  return cookie
}

async function isMember(site: RaceSite, cookie: string): Promise<boolean> {
  const { status } = await ask(`${anyOf(site.bases)}${site.member}`, withCookie(cookie))
  return status !== 401
}
