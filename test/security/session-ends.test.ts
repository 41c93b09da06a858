// A session ends when its time is over, when its owner ends it, and when the operator shuts the account.
import { describe, expect, test, vi } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { countRows, inDatabase, siteOfTest } from '../support/artifacts.ts'
import { idOf, memberOf, statusWith } from '../support/members.ts'
import type { Site } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet, type Visitor } from '../support/visitor.ts'

const DAY_MS = 86_400_000

interface Listed {
  readonly id: string
  readonly current: boolean
}

async function listOf(visitor: Visitor): Promise<readonly Listed[]> {
  return (await visitor.api('/account/sessions')).json<{ sessions: Listed[] }>().sessions
}

describe('by time', () => {
  test('D-17 a session ends after the idle time and one interval, whatever the browser was told about its cookie', async () => {
    const site = await siteOfTest()
    const { id } = await memberOf(site, 'anna')
    site.clock.forward('14m')
    site.clock.forward('59s')
    expect(await statusWith(site, id)).toBe(200)
    site.clock.forward('15m')
    site.clock.forward('59s')
    expect(await statusWith(site, id)).toBe(200)
    site.clock.forward('16m')
    site.clock.forward('1s')
    expect(await statusWith(site, id)).toBe(401)
    const edited = await rawGet(
      site.base,
      '/api/profile',
      `guildhall=${id}; Max-Age=99999999; Expires=Tue, 19 Jan 2038 00:00:00 GMT`,
    )
    expect(edited.status).toBe(401)
    expect(await statusWith(site, id)).toBe(401)
  })

  test('D-17 D-19 a person who asked to be remembered has the longer idle time, and no more', async () => {
    const site = await siteOfTest()
    await site.visitor().register('anna')
    const visitor = site.visitor()
    await visitor.logIn('anna', GOOD_PASSWORD, { remember: true })
    const id = await idOf(visitor)
    site.clock.forward('14d')
    expect(await statusWith(site, id)).toBe(200)
    site.clock.forward('14d')
    site.clock.forward('61s')
    expect(await statusWith(site, id)).toBe(401)
  })

  test('D-18 a session ends after its longest time, however busy it is', async () => {
    const site = await siteOfTest()
    await site.visitor().register('anna')
    for (const [remember, steps, step] of [
      [false, 720, '1m'],
      [true, 60, '12h'],
    ] as const) {
      const visitor = site.visitor()
      await visitor.logIn('anna', GOOD_PASSWORD, { remember })
      const id = await idOf(visitor)
      for (let n = 1; n < steps; n++) {
        site.clock.forward(step)
        if (n % 4 !== 0 && n !== steps - 1) continue
        expect(await statusWith(site, id)).toBe(200)
        // Nobody waits for the mark that a session was seen; hours pass here while it is written.
        const seenAt = async () => (await site.core.db.sessions.find(digest(id)))?.lastSeenAt
        await vi.waitFor(async () => expect(await seenAt()).toBe(site.clock.now()), { interval: 2, timeout: 60_000 })
      }
      site.clock.forward(step)
      expect(await statusWith(site, id)).toBe(401)
    }
  })
})

describe('by a clock that was wrong', () => {
  /** From now on the machine's clock is off by so much. */
  function setClock(site: Site, byMs: number): () => void {
    const { now } = site.clock
    site.clock.now = () => now() + byMs
    return () => void Object.assign(site.clock, { now })
  }

  test('D-18 a member who logged in while the clock was a year ahead is logged out once it is right, remembered or not', async () => {
    const site = await siteOfTest()
    await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD })
    const [brief, remembered] = [site.visitor(), site.visitor()]
    const setBack = setClock(site, 365 * DAY_MS)
    await brief.logIn('anna')
    await remembered.logIn('anna', GOOD_PASSWORD, { remember: true })
    for (const visitor of [brief, remembered]) expect((await visitor.api('/profile')).status).toBe(200)
    setBack()
    for (const visitor of [brief, remembered]) expect((await visitor.api('/profile')).status).toBe(401)
    expect(await site.membership.users.sessions('anna')).toEqual([])
    expect((await brief.logIn('anna')).status).toBe(200)
  })

  test('D-18 a clock that goes back an hour logs nobody out, and lets nobody stay longer than a day for it', async () => {
    const site = await siteOfTest()
    await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD })
    const [brief, remembered] = [site.visitor(), site.visitor()]
    await brief.logIn('anna')
    await remembered.logIn('anna', GOOD_PASSWORD, { remember: true })
    const setRight = setClock(site, -60 * 60_000)
    for (const visitor of [brief, remembered]) expect((await visitor.api('/profile')).status).toBe(200)
    setRight()
    site.clock.forward('13h')
    expect((await brief.api('/profile')).status).toBe(401)
  })
})

describe('by others', () => {
  test('D-24 B-17 a member who is suspended is out with the next request, in every browser and by every way to log in', async () => {
    const site = await siteOfTest()
    const { visitor, id } = await memberOf(site, 'anna')
    const { visitor: bystander } = await memberOf(site, 'berta')
    const remembered = site.visitor()
    await remembered.logIn('anna', GOOD_PASSWORD, { remember: true })
    for (const one of [visitor, remembered, bystander]) expect((await one.api('/profile')).status).toBe(200)
    await inDatabase(site, "UPDATE guildhall_users SET status = 'suspended' WHERE username = 'anna'")
    const at = performance.now()
    while (performance.now() - at < 1); // A process reads at most once a millisecond whether others wrote.
    expect(await statusWith(site, id)).toBe(401)
    expect((await remembered.api('/profile')).status).toBe(401)
    expect((await visitor.get('/account/security')).status).toBe(303)
    expect((await visitor.api('/reauthenticate', { password: GOOD_PASSWORD })).status).toBe(401)
    expect((await visitor.logIn('anna')).status).toBe(401)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    expect((await bystander.api('/profile')).status).toBe(200)
  })

  test('D-26 a person sees where they are logged in, and ends one session or all the others', async () => {
    const site = await siteOfTest()
    const { visitor: first } = await memberOf(site, 'anna')
    const [second, third] = [site.visitor(), site.visitor()]
    for (const visitor of [second, third]) await visitor.logIn('anna')
    await memberOf(site, 'berta')
    const listed = await listOf(first)
    expect([listed.length, listed.filter(({ current }) => current).length]).toEqual([3, 1])
    for (const { id } of listed) expect(await statusWith(site, id)).toBe(401)
    const [mine] = (await listOf(second)).filter(({ current }) => current)
    expect((await first.api(`/account/sessions/${mine?.id}/end`, {})).status).toBe(204)
    const status = async (visitors: readonly Visitor[]) =>
      Promise.all(visitors.map(async (one) => (await one.api('/profile')).status))
    expect(await status([first, second, third])).toEqual([200, 401, 200])
    await second.logIn('anna')
    expect((await third.form('/account/sessions/end-others', {})).status).toBe(303)
    expect(await status([first, second, third])).toEqual([401, 401, 200])
    expect(await countRows(site, 'sessions')).toBe(2)
  })

  test('D-28 of a member who logs in again and again, at the same moment too, no more than fifty sessions are kept', async () => {
    const site = await siteOfTest()
    await site.visitor().register('anna')
    for (let round = 0; round < 3; round++) {
      // Nobody can tell which of many sessions is the oldest if they all began in one millisecond.
      site.clock.forward('1s')
      const logins = await Promise.all(Array.from({ length: 25 }, () => site.visitor().logIn('anna')))
      expect(new Set(logins.map(({ status }) => status))).toEqual(new Set([200]))
    }
    const latest = site.visitor()
    site.clock.forward('1s')
    await latest.logIn('anna')
    const kept = (await site.membership.users.sessions('anna')).length
    // Two logins that make room at the same moment may end two sessions instead of one.
    expect([kept > 40, kept <= 50]).toEqual([true, true])
    expect((await latest.api('/profile')).status).toBe(200)
  })

  test('F-21 a session that is ended twenty times at once ends once, and is in the audit trail once', async () => {
    const site = await siteOfTest()
    const { visitor, id } = await memberOf(site, 'anna')
    const other = site.visitor()
    for (const ending of [visitor, other]) {
      await other.logIn('anna')
      const [session] = (await listOf(ending)).filter(({ current }) => current)
      const statuses = Array.from(
        { length: 20 },
        async () => (await other.api(`/account/sessions/${session?.id}/end`, {})).status,
      )
      // Ending one's own session logs one out.
      const refusals = (await Promise.all(statuses)).filter((status) => status !== 204)
      expect(refusals).toHaveLength(19)
      for (const status of refusals) expect(ending === other ? [401, 404] : [404]).toContain(status)
    }
    expect(await statusWith(site, id)).toBe(401)
    const sql = "SELECT count(*) AS n FROM guildhall_audit WHERE event = 'session_ended'"
    expect(Number((await inDatabase(site, sql))[0]?.n)).toBe(2)
  })

  test('D-29 Z-02 nobody ends the session of somebody else, or learns that there is one', async () => {
    const site = await siteOfTest()
    const { visitor: anna, id } = await memberOf(site, 'anna')
    const { visitor: mallory } = await memberOf(site, 'mallory')
    const [hers] = await listOf(anna)
    const answers = []
    for (const name of [hers?.id ?? '', crypto.randomUUID(), digest(id), '%00', "' OR '1'='1", 'x'.repeat(64)]) {
      answers.push(await mallory.api(`/account/sessions/${encodeURIComponent(name)}/end`, {}))
    }
    const withoutId = answers.map(({ status, text }) => [status, text.replace(/"requestId":"[^"]+"/, '')])
    for (const answer of withoutId) expect(answer).toEqual([404, withoutId[0]?.[1]])
    expect((await mallory.api('/account/sessions/end-others', {})).status).toBe(204)
    expect(await statusWith(site, id)).toBe(200)
    expect((await site.visitor().api(`/account/sessions/${hers?.id}/end`, {})).status).toBe(401)
    expect(await statusWith(site, id)).toBe(200)
  })
})
