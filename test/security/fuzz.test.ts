// I-15: no request makes the membership fail, reveals internals, or leaks memory.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { type Attack, attackOn, type Known } from './arbitraries.ts'
import { heapInUse } from './heap.ts'
import { LEAK, type Route, routesOf } from './site-map.ts'
import { openTarget, TARGET_NAMES } from './targets.ts'
import { ask } from './wire.ts'

/** `REQUESTS=100000 npx vitest run test/security/fuzz.test.ts` takes about a quarter of an hour. The quick run sends fewer. */
const REQUESTS_PER_ROUTE = Number(process.env.REQUESTS ?? (process.env.REQUIRE_ALL === '1' ? 1500 : 300))
/** The requests on a route are shared out among the targets. */
const ON_EACH = Math.ceil(REQUESTS_PER_ROUTE / TARGET_NAMES.length)
const AT_ONCE = 8
/** Of the processor, for requests that come together, in microseconds. */
const MAX_CPU_US = 5_000_000
/** What a run may leave on the heap between its middle and its end: the bounded copies of sessions, and no more. */
const SLACK_BYTES = REQUESTS_PER_ROUTE > 10_000 ? 24_000_000 : 8_000_000

describe.each(TARGET_NAMES)('%s', (target) => {
  test(`I-15 of ${ON_EACH} random requests on each route none fails, tells or stays`, {
    timeout: 24 * 3_600_000,
  }, async () => {
    const site = await openTarget(target)
    const places = routesOf(site)
    const failures: unknown[] = []
    const statuses = new Set<number>()
    let known = await logIn(site)
    let sent = 0

    const attackAll = async (seed: number) => {
      for (const [number, place] of places.entries()) {
        const attacks = fc.sample(attackOn(place, known), { numRuns: Math.ceil(ON_EACH / 4), seed: seed + number })
        for (let at = 0; at < attacks.length; at += AT_ONCE) {
          const began = process.threadCpuUsage()
          const judged = await Promise.all(
            attacks.slice(at, at + AT_ONCE).map((attack) => faultOf(site, place, attack, statuses)),
          )
          failures.push(...judged.filter((fault) => fault !== undefined))
          const { user, system } = process.threadCpuUsage(began)
          if (user + system > MAX_CPU_US)
            failures.push({ place: place.path, attacks: attacks.slice(at, at + AT_ONCE), user, system })
          sent += judged.length
        }
      }
      // Attacks log people out: the next round begins with live sessions again.
      known = await logIn(site)
      return heapInUse()
    }

    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
    const heaps: number[] = []
    for (let quarter = 0; quarter < 4 && failures.length === 0; quarter++) heaps.push(await attackAll(seed + 1000 * quarter))
    expect({ seed, failures: failures.slice(0, 3) }).toEqual({ seed, failures: [] })
    expect(sent).toBeGreaterThanOrEqual(ON_EACH * places.length)
    // The attacks get everywhere: to the action and to every check before it.
    expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 204, 303, 400, 401, 403, 404, 405, 415, 422]))
    expect(site.logs.filter(({ level }) => level === 'error')).toEqual([])
    expect((await ask(site.base, '/probe')).text).toBe('{"x":null,"polluted":null}')
    const [, half = 0, , end = 0] = heaps
    expect(end - half).toBeLessThan(SLACK_BYTES)
    await site.close()
  })
})

/** What is wrong with the answer to an attack, or undefined. */
async function faultOf(site: Site, place: Route, attack: Attack, statuses: Set<number>): Promise<unknown> {
  const reply = await ask(site.base, attack.path, attack).catch((error: unknown) => String(error))
  if (typeof reply === 'string') return { place: place.path, attack, error: reply }
  statuses.add(reply.status)
  const isFault = reply.status >= 500 || reply.status < 200
  // Only what we say ourselves: a form shows again what was typed into it.
  const echo = `${JSON.stringify(attack.headers)}${String(attack.body)}${attack.path}`
  const leak = LEAK.exec(reply.text)?.[0]
  const tells = leak !== undefined && !echo.includes(leak)
  const isSplit = 'x-evil' in reply.headers
  const to = reply.headers.location
  const isAway = typeof to === 'string' && new URL(to, site.base).origin !== site.base
  if (isFault || tells || isSplit || isAway)
    return { place: place.path, attack, status: reply.status, leak, to, text: reply.text.slice(0, 300) }
  return undefined
}

async function logIn(site: Site): Promise<Known> {
  const cookies: string[] = []
  for (const username of ['alice', 'bob']) {
    if (!(await site.membership.users.find(username))) await site.membership.users.create({ username, password: GOOD_PASSWORD })
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ username, password: GOOD_PASSWORD })
    const login = await ask(site.base, `${site.http.path}/api/login`, { method: 'POST', headers, body })
    cookies.push(login.setCookies[0]?.split(';')[0] ?? '')
  }
  return { cookies, origin: site.base }
}
