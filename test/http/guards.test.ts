// Guards of the host application: which requests they let through, and how they refuse others.

import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

let site: Site

beforeAll(async () => {
  site = await openSite({
    session: { keepAtLogin: ['draft'] },
    routes: (app, { membership }) => {
      app.get('/diary', membership.requireLogin, (req, res) => {
        res.send(`Hello ${req.user?.username}`)
      })
      app.get('/welcome', membership.requireGuest, (_req, res) => {
        res.send('hello stranger')
      })
      app.post(
        '/diary',
        express.urlencoded(),
        (req, _res, next) => {
          if (!req.isAuthenticated()) Object.assign(req.session, { draft: req.body.text })
          next()
        },
        membership.requireLogin,
        (_req, res) => void res.send('written'),
      )
      app.get('/form', membership.requireLogin, (req, res) => {
        res.send(`You had written: ${Reflect.get(req.session, 'draft')}`)
      })
      app.get('/vault', membership.requireMember({ within: '5m' }), (_req, res) => void res.send('gold'))
      app.get('/assign/:name', (req, res) => {
        Object.assign(req.session, { [req.params.name]: 'anna' })
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

test('a script of a page whose visitor is no longer logged in is told so, and not shown the login page', async () => {
  const visitor = site.visitor()
  const fromScript = { accept: '*/*', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
  for (const path of ['/diary', '/profile', '/account/security']) {
    const answer = await visitor.send(path, { headers: fromScript })
    expect([path, answer.status, answer.json().code]).toEqual([path, 401, 'login_required'])
  }
  const written = await visitor.form('/diary', { text: 'dear diary' }, { headers: fromScript })
  expect([written.status, written.json().code]).toEqual([401, 'login_required'])
  await visitor.register('scripted')
  site.clock.forward('6m')
  const recent = await visitor.send('/vault', { headers: fromScript })
  expect([recent.status, recent.json().code]).toEqual([403, 'recent_login_required'])
  const guest = await visitor.send('/welcome', { headers: fromScript })
  expect([guest.status, guest.location]).toEqual([403, null])
  // A browser that opens a page says so, or says nothing.
  const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  for (const extra of [{}, { headers }])
    expect((await site.visitor().get('/diary', extra)).location).toBe('/login?returnTo=%2Fdiary')
})

test('somebody whose session ended while they wrote is back at the form after the login, with what they wrote', async () => {
  const visitor = site.visitor()
  await visitor.register('writer')
  site.clock.forward('1h')
  const sent = await visitor.form('/diary', { text: 'dear diary' }, { headers: { referer: `${site.base}/form` } })
  expect([sent.status, sent.location]).toEqual([303, '/login?returnTo=%2Fform'])
  const login = { username: 'writer', password: GOOD_PASSWORD, returnTo: '/form' }
  const back = await visitor.form('/login', login)
  expect(back.location).toBe('/form')
  expect((await visitor.get('/form')).text).toBe('You had written: dear diary')
})

test('a page for guests sends members to their profile', async () => {
  const visitor = site.visitor()
  expect((await visitor.get('/welcome')).text).toBe('hello stranger')
  await visitor.register('gina')
  expect((await visitor.get('/welcome')).location).toBe('/profile')
  const api = await visitor.send('/welcome', { headers: { accept: 'application/json' } })
  expect([api.status, api.json().code]).toEqual([403, 'already_logged_in'])
})

test.each(['isLoggedIn', 'username'])('host code cannot log anybody in by assigning req.session.%s', async (name) => {
  const answer = await site.visitor().get(`/assign/${name}`)
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
