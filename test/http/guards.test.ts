// Guards of the host application: who gets in, and what others are answered.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app, { membership }) => {
      app.get('/diary', membership.requireLogin, (req, res) => {
        res.send(`Hello ${req.user?.username}`)
      })
      app.get('/welcome', membership.requireGuest, (_req, res) => {
        res.send('hello stranger')
      })
      app.get('/assign', (req, res) => {
        Object.assign(req.session, { isLoggedIn: true })
        res.send('never')
      })
    },
  })
})

afterAll(() => site.close())

test('a guard answers with JSON where JSON is asked for', async () => {
  const visitor = site.visitor()
  const answer = await visitor.send('/diary', { headers: { accept: 'application/json' } })
  expect([answer.status, answer.json().code]).toEqual([401, 'login_required'])
})

test('a page for guests sends members to their profile', async () => {
  const visitor = site.visitor()
  expect((await visitor.get('/welcome')).text).toBe('hello stranger')
  await visitor.register('gina')
  expect((await visitor.get('/welcome')).location).toBe('/profile')
  const api = await visitor.send('/welcome', { headers: { accept: 'application/json' } })
  expect([api.status, api.json().code]).toEqual([403, 'already_logged_in'])
})

test('host code cannot log anybody in by assigning to the session', async () => {
  const answer = await site.visitor().get('/assign')
  expect(answer.status).toBe(500)
  expect(answer.text).toContain('cannot be assigned')
})

test('a guard without its membership in front says so', async () => {
  const other = await openSite({
    before: (app) => app.get('/early', (req, res, next) => other.membership.requireLogin(req, res, next)),
  })
  const answer = await other.visitor().get('/early')
  expect(answer.text).toContain('app.use(membership)')
  await other.close()
})
