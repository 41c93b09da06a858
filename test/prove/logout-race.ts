// D-22, F-30: a logout against requests of the same session that are still running and write afterwards. The session stays gone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { digest } from '../../src/domain/secret.ts'
import { type Answer, ask } from './ask.ts'
import { type LogoutSite, membershipSite, memorySite, sqliteSite } from './logout-sites.ts'
import { exactly, type Fact, type Proof } from './proof.ts'

/** Where the slow requests stand when the logout comes. */
const PLACES = ['handler', 'read', 'save', 'touch'] as const
type Place = (typeof PLACES)[number]

const WRITERS = 2
const OTHER_PROCESS_MS = 2 // In another process a logout counts within one millisecond (security.md, decision 8).

export const logoutRace: Proof = {
  id: 'D-22, F-30',
  title: 'a logout cannot be undone by a request that is still running',
  run: (size) => prove(size === 'full' ? 10_000 : 100),
}

async function prove(logouts: number): Promise<readonly Fact[]> {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-proof-'))
  const sites = [
    await memorySite(),
    await sqliteSite(folder),
    await membershipSite(folder, { elsewhere: false }),
    await membershipSite(folder, { elsewhere: true }),
  ]
  try {
    const seen = newTally()
    for (const site of sites) await raceAt(site, logouts / sites.length, seen)
    return [
      exactly('logouts, each against slow requests', logouts, seen.logouts),
      exactly('slow requests that went on after the logout', logouts * WRITERS, seen.lateRequests),
      exactly('sessions that came back into the store', 0, seen.cameBack),
      exactly('old cookies that were let in', 0, seen.letIn),
      exactly('late answers that set a cookie', 0, seen.cookies),
      exactly('late answers 5xx', 0, seen.failures),
    ]
  } finally {
    for (const site of sites) await site.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface Tally {
  logouts: number
  lateRequests: number
  cameBack: number
  letIn: number
  cookies: number
  failures: number
}

export function newTally(): Tally {
  return { logouts: 0, lateRequests: 0, cameBack: 0, letIn: 0, cookies: 0, failures: 0 }
}

export async function raceAt(site: LogoutSite, logouts: number, seen: Tally): Promise<void> {
  for (let trial = 0; trial < logouts; trial++) await raceOnce(site, PLACES[trial % PLACES.length] ?? 'handler', seen)
}

async function raceOnce(site: LogoutSite, place: Place, seen: Tally): Promise<void> {
  const cookie = await site.logIn()
  const hash = digest(cookie.slice(cookie.indexOf('=') + 1))
  if (place === 'touch') site.clock.forward('61s') // The next request marks the session as seen: once, by the first of them.
  const store = place === 'handler' ? undefined : site.barrier.set(place, hash, place === 'touch' ? 1 : WRITERS)
  const handlers = place === 'handler' || place === 'touch' ? site.handlers.set(WRITERS) : undefined

  const slow = Array.from({ length: WRITERS }, () => ask(site.slowUrl, { headers: { cookie } }))
  await Promise.all([store?.full, handlers?.full])
  const logout = await ask(site.logoutUrl, { body: {}, headers: { cookie } })
  if (logout.status === 204) seen.logouts++
  store?.open()
  handlers?.open()

  for (const answer of await Promise.all(slow)) judge(answer, seen)
  // Whatever else was written late had its time.
  await sleep(site.name.includes('another') ? OTHER_PROCESS_MS : 0)
  if (await site.has(hash)) seen.cameBack++
  if ((await ask(site.memberUrl, { headers: { cookie } })).status !== 401) seen.letIn++
}

function judge({ status, setCookies }: Answer, seen: Tally): void {
  seen.lateRequests++
  if (setCookies.length > 0) seen.cookies++
  if (status >= 500) seen.failures++
}
