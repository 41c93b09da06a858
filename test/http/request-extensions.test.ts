// The verbs that applications know from passport: req.login, req.logout, req.isAuthenticated, with a callback or a promise.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet } from '../support/visitor.ts'

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app, { membership }) => {
      const anna = () => membership.users.find('anna')
      app.get('/who', (req, res) => {
        res.json([req.isAuthenticated(), req.isUnauthenticated(), req.user?.username ?? null])
      })
      app.get('/push', (req, res) => {
        const roles = req.user?.roles
        if (Array.isArray(roles)) roles.push('operator')
        res.send('never')
      })
      app.post('/in', async (req, res) => {
        const user = await anna()
        if (user) await req.login(user)
        res.json([req.isAuthenticated(), req.session.username])
      })
      app.post('/in-callback', async (req, res, next) => {
        const user = await anna()
        if (user) req.logIn(user, { keepSessionInfo: true }, (error) => (error ? next(error) : res.json([req.isAuthenticated()])))
      })
      app.post('/out', async (req, res) => {
        await req.logout()
        res.json([req.isAuthenticated(), req.user ?? null])
      })
      app.post('/out-callback', (req, res, next) => {
        req.logOut((error) => (error ? next(error) : res.json([req.isAuthenticated()])))
      })
      // Express 4 waits for no promise of a route: who is on it hands the failure on.
      app.post('/in-nobody', (req, res, next) => {
        req.login({ id: 'nobody' }).then(() => res.send('never'), next)
      })
    },
  })
  await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD, roles: ['reader'] })
})

afterAll(() => site.close())

test.each([
  ['/in', '/out'],
  ['/in-callback', '/out-callback'],
])('an application logs a person in and out by %s and %s', async (way_in, way_out) => {
  const visitor = site.visitor()
  expect((await visitor.get('/who')).json()).toEqual([false, true, null])
  expect((await visitor.form(way_in, {})).json<unknown[]>()[0]).toBe(true)
  expect((await visitor.get('/who')).json()).toEqual([true, false, 'anna'])
  const cookie = `guildhall=${await visitor.sessionId()}`
  expect((await visitor.form(way_out, {})).json<unknown[]>()[0]).toBe(false)
  expect((await visitor.get('/who')).json()).toEqual([false, true, null])
  expect((await rawGet(site.base, '/api/profile', cookie)).status).toBe(401)
})

test('D-02 the id is a new one after req.login, and the old one is dead', async () => {
  const visitor = site.visitor()
  await visitor.logIn('anna')
  const before = await visitor.sessionId()
  await visitor.form('/in', {})
  expect(await visitor.sessionId()).not.toBe(before)
  expect((await rawGet(site.base, '/api/profile', `guildhall=${before}`)).status).toBe(401)
})

test('somebody who does not exist cannot be logged in', async () => {
  const answer = await site.visitor().form('/in-nobody', {})
  expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('there is no user with the id nobody')])
})

test('a role that a route pushes reaches nobody, in this request or the next', async () => {
  const visitor = site.visitor()
  await visitor.logIn('anna')
  expect((await visitor.get('/push')).status).toBe(500)
  expect((await visitor.api('/profile')).json<{ user: { roles: string[] } }>().user.roles).toEqual(['reader'])
})
