// F-33: a session gets a new id while requests carry the old one; only a login and a logout end it at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { allAtBarrier, barrierHeaders, letGo } from './barriers.ts'
import { type Answer, ask, cookieOf } from './http-request.ts'
import {
  anyOf,
  logIn,
  OTHER_PROCESS_MS,
  onEverySite,
  PROCESSES,
  parts,
  type RaceSite,
  repeat,
  trialName,
  withCookie,
} from './race-sites.ts'
import { exactly, type Fact, type StressRun } from './result.ts'
import { withServers } from './serve.ts'
import { onEveryTarget } from './storage-targets.ts'

/** When the two other requests meet the rotation: they began before it, at the same time, after it with the old cookie. */
const MOMENTS = ['before', 'together', 'after'] as const
type Moment = (typeof MOMENTS)[number]

const OTHERS = 2
const AFTER_GRACE_MS = '11000'
const ACCOUNT = { username: 'somebody', password: 'granite lantern ferry' }

export const regenerateRace: StressRun = {
  id: 'F-33',
  title: 'a new id in the middle of parallel requests logs nobody out; at a login and a logout the old id is dead at once',
  run: (size) => measure(size === 'full' ? 10_000 : 40),
}

async function measure(rotations: number): Promise<readonly Fact[]> {
  const sessions = await onEverySite((site) => measureAt(site, rotations))
  return [...sessions, ...(await runLogins(rotations / 10))]
}

async function measureAt(site: RaceSite, rotations: number): Promise<readonly Fact[]> {
  const seen = await raceRotations(site, rotations)
  const { name } = site
  return [
    exactly(`${name}: rotations, each beside ${OTHERS} requests with the old id`, rotations, seen.rotations),
    exactly(`${name}: people logged out`, 0, seen.loggedOut),
    exactly(`${name}: requests with the old id that were refused`, 0, seen.refused),
    exactly(`${name}: cookies that they set`, 0, seen.cookies),
    exactly(`${name}: what they wrote after the rotation and is in the new session`, 0, seen.carriedOver),
    exactly(`${name}: old ids that were let in eleven seconds later`, 0, seen.oldLetIn),
    exactly(`${name}: old or new ids that were let in after the logout`, 0, seen.letInAfterLogout),
  ]
}

export interface Rotations {
  rotations: number
  loggedOut: number
  refused: number
  cookies: number
  carriedOver: number
  oldLetIn: number
  letInAfterLogout: number
}

export async function raceRotations(site: RaceSite, rotations: number): Promise<Rotations> {
  const seen = { rotations: 0, loggedOut: 0, refused: 0, cookies: 0, carriedOver: 0, oldLetIn: 0, letInAfterLogout: 0 }
  await repeat(site, rotations, (at) => rotateOnce(site, MOMENTS[at % MOMENTS.length] ?? 'together', seen))
  return seen
}

async function rotateOnce(site: RaceSite, moment: Moment, seen: Rotations): Promise<void> {
  const old = await logIn(site)
  const browser = new OneCookie(old)
  const { first, rest } = parts(site.bases, OTHERS)
  const trial = trialName()
  const headers = moment === 'after' ? {} : barrierHeaders(trial, 'handler')
  const others = () => rest.map((base) => browser.keep(ask(`${base}/slow/${trial}`, withCookie(old, headers))))
  const rotate = (stops = {}) => browser.keep(ask(`${first}/rotate`, { body: {}, ...withCookie(old, stops) }))

  const early = moment === 'after' ? [] : others()
  if (moment !== 'after') await allAtBarrier(trial, 'handler', rest)
  const rotating = moment === 'together' ? rotate(headers) : rotate()
  if (moment === 'together') await allAtBarrier(trial, 'handler', site.bases.length > 1 ? [first] : [first, ...rest])
  else await rotating
  await letGo(trial, site.bases)
  const late = moment === 'after' ? others() : []
  const answers = await Promise.all([...early, ...late])
  if ((await rotating).status === 200) seen.rotations++

  for (const { status, setCookies } of answers) {
    if (status !== 200) seen.refused++
    if (setCookies.length > 0) seen.cookies++
  }
  await sleep(OTHER_PROCESS_MS)
  const now = await ask(`${anyOf(site.bases)}/data`, withCookie(browser.cookie))
  const data: { person?: string; written?: string } = JSON.parse(now.text)
  if (data.person !== 'somebody') seen.loggedOut++
  if (data.written !== undefined && moment !== 'together') seen.carriedOver++
  if (await isMember(site, old, { 'x-later': AFTER_GRACE_MS })) seen.oldLetIn++
  await ask(`${anyOf(site.bases)}/logout`, { body: {}, ...withCookie(browser.cookie) })
  await sleep(OTHER_PROCESS_MS)
  if ((await isMember(site, old)) || (await isMember(site, browser.cookie))) seen.letInAfterLogout++
}

async function isMember({ bases, member }: RaceSite, cookie: string, headers: Readonly<Record<string, string>> = {}) {
  return (await ask(`${anyOf(bases)}${member}`, withCookie(cookie, headers))).status !== 401
}

/** The only cookie of a browser: each answer that sets one replaces it, as answers come. */
class OneCookie {
  cookie: string

  constructor(cookie: string) {
    this.cookie = cookie
  }

  async keep(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked
    if (answer.setCookies.length > 0) this.cookie = cookieOf(answer)
    return answer
  }
}

/** The membership in four processes: somebody who is logged in logs in again, then out. */
function runLogins(logins: number): Promise<readonly Fact[]> {
  return onEveryTarget((target) =>
    withServers(PROCESSES, { target, settings: { RATE_LIMIT: 'off' } }, async (servers) => {
      const bases = servers.map(({ base }) => base)
      let oldLetIn = 0
      let newLetIn = 0
      let refused = 0
      await ask(`${anyOf(bases)}/api/register`, { body: ACCOUNT })
      const isIn = async (cookie: string) => (await ask(`${anyOf(bases)}/api/profile`, withCookie(cookie))).status === 200
      const post = (path: string, body: object, cookie?: string) =>
        ask(`${anyOf(bases)}${path}`, { body, ...(cookie === undefined ? {} : withCookie(cookie)) })
      for (let login = 0; login < logins; login++) {
        const before = cookieOf(await post('/api/login', ACCOUNT))
        const after = cookieOf(await post('/api/login', ACCOUNT, before))
        await sleep(OTHER_PROCESS_MS)
        if (await isIn(before)) oldLetIn++
        if (!(await isIn(after))) refused++
        await post('/api/logout', {}, after)
        await sleep(OTHER_PROCESS_MS)
        if (await isIn(after)) newLetIn++
      }
      return [
        exactly('membership in four processes: logins over a login, then a logout', logins, logins),
        exactly('membership in four processes: old ids that were let in after the login', 0, oldLetIn),
        exactly('membership in four processes: new ids that were refused', 0, refused),
        exactly('membership in four processes: ids that were let in after the logout', 0, newLetIn),
      ]
    }),
  )
}
