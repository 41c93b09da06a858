// A member sees where they are logged in and what happened, and ends sessions.
import { expect, test } from 'vitest'
import { siteOfTest } from '../support/artifacts.ts'
import { memberOf } from '../support/members.ts'

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
