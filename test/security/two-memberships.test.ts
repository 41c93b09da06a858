// Two memberships in one process, on one host name: browsers share their cookies, and nothing else is shared.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { ask } from './wire.ts'

let club: Site
let staff: Site
/** The Cookie header of somebody who is a member of both. */
let both: string

beforeAll(async () => {
  club = await openSite({ cookie: { name: 'club' } })
  staff = await openSite({ cookie: { name: 'staff' }, path: '/staff' })
  const cookies: string[] = []
  for (const [site, username] of [
    [club, 'alice'],
    [staff, 'chief'],
  ] as const) {
    await site.membership.users.create({ username, password: GOOD_PASSWORD })
    const login = await post(site, '/login', JSON.stringify({ username, password: GOOD_PASSWORD }))
    cookies.push(login.setCookies[0]?.split(';')[0] ?? '')
  }
  both = cookies.join('; ')
})

afterAll(() => Promise.all([club.close(), staff.close()]))

function post(site: Site, path: string, body: string, headers: Record<string, string> = {}) {
  return ask(site.base, `${site.http.path}/api${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
}

async function whoAmI(site: Site, cookie: string): Promise<unknown> {
  const { text } = await ask(site.base, `${site.http.path}/api/profile`, { headers: { cookie } })
  return JSON.parse(text).user?.username
}

test('each knows its own member by its own cookie', async () => {
  expect([await whoAmI(club, both), await whoAmI(staff, both)]).toEqual(['alice', 'chief'])
})

test('the session of one opens nothing at the other, under either name', async () => {
  const [clubCookie = '', staffCookie = ''] = both.split('; ').map((pair) => pair.split('=')[1])
  expect(await whoAmI(staff, `staff=${clubCookie}; club=${clubCookie}`)).toBeUndefined()
  expect(await whoAmI(club, `staff=${staffCookie}; club=${staffCookie}`)).toBeUndefined()
})

test('each guards its own cookie against other sites, and logging out of one leaves the other', async () => {
  const elsewhere = { 'sec-fetch-site': 'cross-site', cookie: both }
  for (const site of [club, staff]) {
    expect((await post(site, '/logout', '{}', elsewhere)).status).toBe(403)
    expect((await ask(site.base, '/a-route-of-the-host', { method: 'POST', headers: elsewhere })).status).toBe(403)
  }
  expect(
    (await ask(club.base, '/hook', { method: 'POST', headers: { ...elsewhere, cookie: both.split('; ')[1] ?? '' } })).status,
  ).toBe(404)
  expect((await post(club, '/logout', '{}', { cookie: both })).status).toBe(204)
  expect([await whoAmI(club, both), await whoAmI(staff, both)]).toEqual([undefined, 'chief'])
})
