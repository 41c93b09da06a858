// A visitor becomes a member: by form and by JSON, and what is refused.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app) => {
      app.get('/who', (req, res) => {
        res.json({ isLoggedIn: req.session.isLoggedIn, username: req.session.username ?? null, user: req.user?.username ?? null })
      })
    },
  })
})

afterAll(() => site.close())

test('a visitor registers, is logged in, logs out, and logs in again', async () => {
  const visitor = site.visitor()
  const registered = await visitor.api('/register', { username: 'Alice', password: GOOD_PASSWORD, displayName: '愛麗絲' })
  expect(registered.status).toBe(201)
  expect(registered.json()).toEqual({
    user: {
      id: expect.any(String),
      username: 'Alice',
      displayName: '愛麗絲',
      email: null,
      emailVerified: false,
      roles: [],
      createdAt: new Date(site.clock.now()).toISOString(),
    },
  })
  expect((await visitor.get('/who')).json()).toEqual({ isLoggedIn: true, username: 'Alice', user: 'Alice' })
  expect((await visitor.api('/profile')).json()).toMatchObject({ user: { username: 'Alice' } })

  expect((await visitor.api('/logout', {})).status).toBe(204)
  expect((await visitor.get('/who')).json()).toEqual({ isLoggedIn: false, username: null, user: null })
  const refused = await visitor.api('/profile')
  expect([refused.status, refused.json().code]).toEqual([401, 'login_required'])

  const loggedIn = await visitor.logIn('aLICE')
  expect([loggedIn.status, loggedIn.json()]).toMatchObject([200, { user: { username: 'Alice' } }])
})

test('a taken name is refused whatever its case, and a problem says so in RFC 9457', async () => {
  await site.visitor().register('taken')
  const refused = await site.visitor().register('TAKEN')
  expect(refused.status).toBe(409)
  expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(refused.json()).toEqual({
    type: 'urn:guildhall:problem:username_taken',
    title: expect.any(String),
    detail: expect.any(String),
    status: 409,
    code: 'username_taken',
    requestId: expect.any(String),
  })
})

test('every fault of an input is told at once, by field and code', async () => {
  const refused = await site.visitor().api('/register', { username: '-', password: 'password', displayName: 'a\u202eb' })
  expect(refused.status).toBe(422)
  const codes = refused.json<{ errors: { field: string; code: string }[] }>().errors.map(({ field, code }) => `${field} ${code}`)
  expect(codes.toSorted()).toEqual(['displayName bad_characters', 'password too_common', 'username too_short'])
})

test('a visitor registers with a form and lands on the profile', async () => {
  const visitor = site.visitor()
  expect((await visitor.get('/register')).status).toBe(200)
  const registered = await visitor.form('/register', { username: 'bob', password: GOOD_PASSWORD })
  expect([registered.status, registered.location]).toEqual([303, '/profile?notice=registered'])
  const profile = await visitor.get('/profile?notice=registered')
  expect(profile.text).toContain('bob')
  expect(profile.text).toContain('Your account is ready')
})
