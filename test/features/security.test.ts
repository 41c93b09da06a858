// A member sees their sessions and recent activity, and ends sessions.
import { expect, test } from 'vitest'
import { inDatabase, siteOfTest } from '../support/artifacts.ts'
import { memberOf } from '../support/members.ts'
import { translator } from '../support/texts.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

test('D-26 a member ends one session, then all others, by the forms of the security page', async () => {
  const site = await siteOfTest()
  const { visitor } = await memberOf(site, 'anna')
  const [second, third, fourth] = [site.visitor(), site.visitor(), site.visitor()]
  for (const one of [second, third, fourth]) await one.logIn('anna')
  const page = await visitor.get('/account/security')
  const ends = [...page.text.matchAll(/action="(\/account\/sessions\/[^"/]+\/end)"/g)].map(([, path = '']) => path)
  expect([page.status, ends.length]).toEqual([200, 3])

  const ended = await visitor.form(ends[0] ?? '', {})
  expect([ended.status, ended.location]).toEqual([303, expect.stringMatching(/^\/account\/security\?notice=/)])
  const statuses = async () => Promise.all([second, third, fourth].map(async (one) => (await one.api('/profile')).status))
  expect((await statuses()).toSorted((a, b) => a - b)).toEqual([200, 200, 401])

  expect((await visitor.form('/account/sessions/end-others', {})).status).toBe(303)
  expect(await statuses()).toEqual([401, 401, 401])
  expect((await visitor.api('/profile')).status).toBe(200)
})

test('an act that is not shown is in the audit trail, and pushes nothing off the list on the page', async () => {
  const site = await siteOfTest()
  const { visitor } = await memberOf(site, 'anna')
  for (let at = 0; at < 25; at++) await visitor.form('/profile', { displayName: `Anna ${at}` })
  const quiet = await inDatabase(site, "SELECT event FROM guildhall_audit WHERE event = 'profile_changed' AND quiet = 1")
  expect(quiet).toHaveLength(25)
  const { text } = await visitor.get('/account/security')
  expect(text).not.toContain('Profile changed')
  expect(text).toContain('Account created')
})

test('a member whom the operator let in again reads that a login was refused meanwhile', async () => {
  const site = await siteOfTest()
  await memberOf(site, 'anna')
  await site.membership.users.setStatus('anna', 'suspended')
  const visitor = site.visitor()
  expect((await visitor.logIn('anna')).status).toBe(401)
  await site.membership.users.setStatus('anna', 'active')
  await visitor.logIn('anna')
  expect((await visitor.get('/account/security')).text).toContain('A login was refused, the account is closed')
})

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const EDGE = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0'

/** Each line of the recent activity as a person reads it. */
async function activityOf(visitor: Visitor): Promise<readonly string[]> {
  const { text } = await visitor.get('/account/security')
  const list = text.slice(text.indexOf('<ol class="time">'), text.indexOf('</ol>'))
  const lines = list.split(/<li>\s*<time/).slice(1)
  return lines.map((line) =>
    line
      .replace(/^[^>]*>/, '')
      .replace(/<li>/g, '· ')
      .replace(/<[^>]*>/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
  )
}

test('somebody reads of a login that is not theirs, however often the thief guesses afterwards', async () => {
  const site = await siteOfTest({ trustProxy: 1 })
  const { visitor } = await memberOf(site, 'anna')
  const from = (ip: string, agent: string) => ({ headers: { 'x-forwarded-for': ip, 'user-agent': agent } })
  const logIn = (password: string, ip: string, agent: string) =>
    site.visitor().api('/login', { username: 'anna', password }, from(ip, agent))
  site.clock.forward('1m')
  expect((await logIn(GOOD_PASSWORD, '203.0.113.9', EDGE)).status).toBe(200)
  for (let n = 0; n < 20; n++) {
    site.clock.forward('1m')
    // The version of a browser and the address within a home change by themselves; the device and the network do not.
    await logIn('a wrong guess', '203.0.113.9', EDGE.replaceAll('141', String(141 + (n % 3))))
    await logIn('a wrong guess', `2001:db8:1:2::${n + 1}`, FIREFOX)
  }
  // From as many networks and devices as there are lines.
  for (let n = 0; n < 30; n++) await logIn('a wrong guess', `198.51.100.${n}`, n % 2 ? FIREFOX : EDGE)
  await visitor.logIn('anna')
  const lines = await activityOf(visitor)
  expect(lines).toContainEqual(
    expect.stringMatching(/^\d+ \w+ \d{4} at [\d:]+ UTC Logged in · Edge on Windows · 203\.0\.113\.9$/),
  )
  expect(lines).toContainEqual(expect.stringMatching(/Account created/))
  expect(lines.length).toBe(4 + 10)
  const rows = await inDatabase(site, "SELECT event FROM guildhall_audit WHERE outcome = 'wrong_password'")
  expect(rows).toHaveLength(70)
})

test('guesses of one device in one network are one line, which says how many, the first and the last', async () => {
  const site = await siteOfTest({ trustProxy: 1 })
  const { visitor } = await memberOf(site, 'anna')
  const times: string[] = []
  for (const ip of ['2001:db8:1:2::7', '2001:db8:1:2::8', '2001:db8:1:2::9']) {
    site.clock.forward('1h')
    times.push(translator('en').date(site.clock.now(), 'long'))
    const headers = { 'x-forwarded-for': ip, 'user-agent': FIREFOX }
    await site.visitor().api('/login', { username: 'anna', password: 'a wrong guess' }, { headers })
  }
  await visitor.logIn('anna')
  site.clock.forward('1s')
  await visitor.api('/reauthenticate', { password: 'a wrong guess' }, { headers: { 'x-forwarded-for': '2001:db8:1:2::9' } })
  expect(await activityOf(visitor)).toEqual([
    expect.stringContaining('A wrong password was given while logged in · Unknown device · 2001:db8:1:2::9'),
    expect.stringContaining('Logged in'),
    `${times[2]} A wrong password was tried · Firefox on Linux · 2001:db8:1:2::9 · 3 times since ${times[0]}`,
    expect.stringContaining('Logged in'),
    expect.stringContaining('Account created'),
  ])
})

test('somebody who ends sessions again and again takes no login off the list', async () => {
  const site = await siteOfTest()
  const { visitor } = await memberOf(site, 'anna')
  const thief = site.visitor()
  await thief.logIn('anna')
  for (let n = 0; n < 25; n++) {
    await thief.api('/account/sessions/end-others', {})
    await thief.api('/reauthenticate', { password: GOOD_PASSWORD })
  }
  await visitor.logIn('anna')
  const lines = await activityOf(visitor)
  expect(lines.filter((line) => line.includes('Logged in'))).toHaveLength(3)
  expect(lines.filter((line) => line.includes('All other sessions were ended'))).toEqual([
    expect.stringContaining('25 times since'),
  ])
  expect(lines.filter((line) => line.includes('Password confirmed'))).toEqual([expect.stringContaining('25 times since')])
})

test('somebody who ends a session reads which one it was, and by which device it was done', async () => {
  const site = await siteOfTest()
  const { visitor } = await memberOf(site, 'anna')
  const other = site.visitor()
  await other.api('/login', { username: 'anna', password: GOOD_PASSWORD }, { headers: { 'user-agent': EDGE } })
  const { sessions } = (await visitor.api('/account/sessions')).json<{ sessions: { id: string; current: boolean }[] }>()
  const id = sessions.find(({ current }) => !current)?.id
  await visitor.form(`/account/sessions/${id}/end`, {}, { headers: { 'user-agent': FIREFOX } })
  const [ended] = await activityOf(visitor)
  expect(ended).toMatch(/UTC Edge on Windows was logged out · Firefox on Linux · [\d.:a-f]+$/)

  await other.api('/login', { username: 'anna', password: GOOD_PASSWORD }, { headers: { 'user-agent': EDGE } })
  site.clock.forward('1s')
  const onEdge = (await site.membership.users.sessions('anna')).find(({ userAgent }) => userAgent === EDGE)
  await site.membership.users.endSessions('anna', { id: onEdge?.id ?? '' })
  expect(await activityOf(visitor)).toContainEqual(expect.stringMatching(/was logged out · by the people who run this site$/))
})
