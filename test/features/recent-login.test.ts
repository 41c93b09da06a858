// A login of a while ago is confirmed by the password.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet } from '../support/visitor.ts'

declare module 'guildhall/session' {
  interface SessionData {
    basket?: string[]
  }
}

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app, { membership }) => {
      app.get('/vault', membership.requireMember({ role: 'admin', within: '10m' }), (_req, res) => {
        res.send('gold')
      })
      app.get('/cart/:item', (req, res) => {
        req.session.basket = [...(req.session.basket ?? []), req.params.item]
        res.json(req.session.basket)
      })
      app.get('/cart', (req, res) => void res.json(req.session.basket ?? []))
    },
  })
})

afterAll(() => site.close())

test('D-33 a role is asked for, and a recent login, which the password confirms', async () => {
  await site.membership.users.create({ username: 'curator-kim', password: GOOD_PASSWORD, roles: ['admin'] })
  const stranger = site.visitor()
  await stranger.register('no-curator')
  expect((await stranger.get('/vault')).status).toBe(403)

  const admin = site.visitor()
  await admin.logIn('curator-kim')
  expect((await admin.get('/vault')).text).toBe('gold')
  site.clock.forward('11m')
  const stale = await admin.get('/vault')
  expect([stale.status, stale.location]).toEqual([303, '/reauthenticate?returnTo=%2Fvault'])
  const before = await admin.sessionId()
  expect((await admin.form('/reauthenticate', { password: 'wrong', returnTo: '/vault' })).status).toBe(401)
  const confirmed = await admin.form('/reauthenticate', { password: GOOD_PASSWORD, returnTo: '/vault' })
  expect([confirmed.status, confirmed.location]).toEqual([303, '/vault'])
  expect((await admin.get('/vault')).text).toBe('gold')
  expect((await rawGet(site.base, '/api/profile', `guildhall=${before}`)).status).toBe(401)
})

test('D-33 a login of the future is not recent: a member who confirmed while the clock was hours ahead confirms again', async () => {
  await site.membership.users.create({ username: 'early-bird', password: GOOD_PASSWORD, roles: ['admin'] })
  const admin = site.visitor()
  const { now } = site.clock
  const logInWhileAhead = async (byMs: number) => {
    site.clock.now = () => now() + byMs
    expect((await admin.logIn('early-bird')).status).toBe(200)
    site.clock.now = now
    return (await admin.get('/vault')).status
  }
  expect(await logInWhileAhead(3 * 3_600_000)).toBe(303)
  // Of machines that share a database one is always some seconds ahead.
  expect(await logInWhileAhead(10_000)).toBe(200)
})

test('D-23 what another page stores while the password is confirmed is in the session that goes on', async () => {
  const person = site.visitor()
  await person.register('owl-shopper')
  await person.get('/cart/one')
  const { passwords } = site.core
  const verify = passwords.verify.bind(passwords)
  const meanwhile = vi.spyOn(passwords, 'verify').mockImplementation(async (...asked) => {
    await person.get('/cart/two')
    return verify(...asked)
  })
  const confirmed = await person.form('/reauthenticate', { password: GOOD_PASSWORD })
  meanwhile.mockRestore()
  expect(confirmed.status).toBe(303)
  expect((await person.get('/cart')).json()).toEqual(['one', 'two'])
})
