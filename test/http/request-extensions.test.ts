// The methods known from passport: req.login, req.logout, req.isAuthenticated, with a callback or a promise.
import type { Request, RequestHandler, Response } from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet } from '../support/visitor.ts'

/** Express 4 waits for no promise of a route. */
function handsOnFailures(route: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return (req, res, next) => void route(req, res).catch(next)
}

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
      app.post(
        '/in',
        handsOnFailures(async (req, res) => {
          const user = await anna()
          if (user) await req.login(user)
          res.json([req.isAuthenticated(), req.session.username])
        }),
      )
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
      app.post(
        '/state-checked',
        handsOnFailures(async (req, res) => {
          const user = await anna()
          if (user) await req.login(user, { crossSite: true })
          res.json([req.isAuthenticated()])
        }),
      )
      app.get(
        '/callback',
        handsOnFailures(async (req, res) => {
          const user = await anna()
          if (user) await req.login(user)
          res.json([req.isAuthenticated()])
        }),
      )
      app.get('/assign', (req, res) => {
        Reflect.set(req, 'user', { id: '1', username: 'anna' })
        res.send('never')
      })
      app.get('/locale', (req, res) => {
        const { locale }: { locale: 'en' | 'zh-TW' } = req
        res.send(locale)
      })
      app.get('/own-locale', (req, res) => {
        Reflect.set(req, 'locale', 'fr')
        res.send(req.locale)
      })
      app.post(
        '/in-nobody',
        handsOnFailures(async (req, res) => {
          await req.login({ id: 'nobody' })
          res.send('never')
        }),
      )
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

const FROM_ELSEWHERE: readonly Record<string, string>[] = [
  { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site', origin: 'null' },
  { origin: 'https://evil.example' },
]

test.each(['/in', '/in-callback'])('a page elsewhere that sends its own credentials to %s logs nobody in', async (path) => {
  const refused: unknown[] = []
  site.membership.on('refused', (event) => refused.push(event))
  for (const headers of FROM_ELSEWHERE) {
    // A visitor who is logged in looks the same: the browser keeps the Strict cookie back.
    const visitor = site.visitor()
    const answer = await visitor.form(path, {}, { headers: { 'sec-fetch-site': '', ...headers } })
    expect([headers, answer.status, answer.setCookies]).toEqual([headers, 403, []])
    expect(await visitor.sessionId()).toBeUndefined()
  }
  expect(refused).toHaveLength(FROM_ELSEWHERE.length)
  expect(refused[0]).toMatchObject({ code: 'cross_site_request', path })
  expect(site.logs.some(({ message }) => message.includes('{ crossSite: true }'))).toBe(true)
})

test('a route that has checked a state of its own logs in whom another site sends, and so does a link', async () => {
  for (const headers of FROM_ELSEWHERE)
    expect((await site.visitor().form('/state-checked', {}, { headers })).json()).toEqual([true])
  const fromElsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect((await site.visitor().get('/callback', { headers: fromElsewhere })).json()).toEqual([true])
})

test('host code that assigns req.user is told to use req.login, also beside passport', async () => {
  const answer = await site.visitor().get('/assign')
  expect([answer.status, answer.text]).toEqual([
    500,
    expect.stringMatching(/req\.user .*cannot be assigned.*req\.login.*passport/),
  ])
})

test('a page of the application knows the language of its visitor', async () => {
  const visitor = site.visitor()
  const inChinese = { headers: { 'accept-language': 'zh-TW' } }
  expect((await visitor.get('/locale')).text).toBe('en')
  expect((await visitor.get('/locale', inChinese)).text).toBe('zh-TW')
  await visitor.form('/language', { locale: 'en' })
  expect((await visitor.get('/locale', inChinese)).text).toBe('en')
  expect((await visitor.get('/own-locale')).text).toBe('fr')
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
