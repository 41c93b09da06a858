// A member sees where they are logged in and what happened, and ends sessions.
import { expect, test } from 'vitest'
import { inDatabase, siteOfTest } from '../support/artifacts.ts'
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

test('a quiet act stands in the audit trail, and pushes nothing off the list that the person is shown', async () => {
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
