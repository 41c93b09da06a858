// The owner of an account presses "This was not me" in the mail about a new password.
import { expect, test } from 'vitest'
import { inDatabase } from '../support/artifacts.ts'
import { linkIn, type MailSite, mailSiteOfTest, textOf, tokenIn, userWith } from '../support/site-with-mail.ts'
import type { TakenMail } from '../support/smtp.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'

const THEIRS = 'harbour violet kettle'

/** Somebody who knows the password logs in and sets another; the mail about it. */
async function breakIn(site: MailSite, options: object = {}): Promise<{ thief: Visitor; mail: TakenMail | undefined }> {
  await userWith(site, 'anna', options)
  const thief = site.visitor()
  await thief.logIn('anna')
  await thief.api('/account/password', { currentPassword: GOOD_PASSWORD, newPassword: THEIRS })
  const [mail] = await site.deliver()
  return { thief, mail }
}

test('everybody is logged out after the click on the button, not before, and a link to a new password is mailed', async () => {
  const site = await mailSiteOfTest()
  const { thief, mail } = await breakIn(site)
  const owner = site.visitor()
  const link = mail ? linkIn(mail) : ''
  expect(link).toMatch(/^\/not-me\?token=[\w-]{22}$/)
  const { location } = await owner.get(link)
  const page = await owner.get(location ?? '')
  expect([page.text, location?.includes('token')]).toEqual([expect.stringContaining('the account anna'), false])
  expect((await thief.api('/profile')).status).toBe(200)
  const flow = /name="flow" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const said = await owner.form('/not-me', { flow })
  expect([said.status, said.location]).toEqual([303, '/login?notice=not_me'])
  expect([(await thief.api('/profile')).status, await site.membership.users.sessions('anna')]).toEqual([401, []])
  const [recovery] = await site.deliver()
  expect(recovery && textOf(recovery)).toContain('You said that a change')
  const token = recovery && tokenIn(recovery)
  expect((await owner.api('/reset-password', { token, password: 'copper meadow lantern' })).status).toBe(204)
  expect((await site.visitor().logIn('anna', THEIRS)).status).toBe(401)
  // Once.
  expect((await owner.form('/not-me', { flow })).status).toBe(422)
  expect((await owner.api('/not-me', { token: mail && tokenIn(mail) })).json()).toMatchObject({ code: 'invalid_token' })
})

test('the link outlives further changes of whoever broke in, and is over after seven days', async () => {
  const site = await mailSiteOfTest()
  const { thief, mail } = await breakIn(site)
  const token = mail && tokenIn(mail)
  let current = THEIRS
  for (const next of ['copper meadow lantern', 'granite harbour violet', 'violet ferry kettle', 'lantern otter copper']) {
    await thief.api('/account/password', { currentPassword: current, newPassword: next })
    current = next
    // Each is reported, however many such links live.
    expect(await site.deliver()).toHaveLength(1)
  }
  expect((await site.visitor().api('/not-me', { token })).status).toBe(204)
  expect((await thief.api('/profile')).status).toBe(401)
  const later = site.server.mails.at(-1)
  site.clock.forward('7d')
  expect((await site.visitor().api('/not-me', { token: later && tokenIn(later) })).status).toBe(422)
})

test('nothing is mailed to an address that is no longer the one of the mail', async () => {
  const site = await mailSiteOfTest()
  const { thief, mail } = await breakIn(site)
  await inDatabase(site, "UPDATE guildhall_users SET email = 'thief@x.example', email_key = 'thief@x.example'")
  expect((await site.visitor().api('/not-me', { token: mail && tokenIn(mail) })).status).toBe(204)
  expect([await site.deliver(), (await thief.api('/profile')).status]).toEqual([[], 401])
})

test('E-17 a blank, absent or wrong token ends no session, nor does a link for another purpose', async () => {
  const site = await mailSiteOfTest()
  const { thief } = await breakIn(site)
  await site.visitor().api('/forgot-password', { identifier: 'anna' })
  const [reset] = await site.deliver()
  for (const token of ['', null, undefined, [], {}, 'A'.repeat(22), reset && tokenIn(reset)])
    expect((await site.visitor().api('/not-me', { token })).status).toBe(422)
  expect((await site.visitor().form('/not-me', { flow: 'x' })).status).toBe(422)
  expect((await thief.api('/profile')).status).toBe(200)
})

test('where the page is left out, the mail says what to do without it', async () => {
  const site = await mailSiteOfTest({ features: { 'not-me': false } })
  const { mail } = await breakIn(site)
  expect(mail && linkIn(mail)).toBe('')
  expect(mail && textOf(mail)).toContain('set a new one at once')
})
