// The main job, through the JSON door and through the pages: register, log in, see the profile, log out.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet } from '../support/visitor.ts'

let site: Site

beforeAll(async () => {
  site = await openSite({
    routes: (app, { membership }) => {
      app.get('/who', (req, res) => {
        res.json({ isLoggedIn: req.session.isLoggedIn, username: req.session.username ?? null, user: req.user?.username ?? null })
      })
      app.get('/diary', membership.requireLogin, (req, res) => {
        res.send(`Hello ${req.user?.username}`)
      })
      app.get('/vault', membership.requireMember({ role: 'admin', within: '10m' }), (_req, res) => {
        res.send('gold')
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

describe('the JSON door', () => {
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
    const codes = refused
      .json<{ errors: { field: string; code: string }[] }>()
      .errors.map(({ field, code }) => `${field} ${code}`)
    expect(codes.toSorted()).toEqual(['displayName bad_characters', 'password too_common', 'username too_short'])
  })

  test('the profile changes, and an empty name is the username again', async () => {
    const visitor = site.visitor()
    await visitor.register('paula')
    expect((await visitor.api('/profile', { displayName: ' Paula P. ' })).json()).toMatchObject({
      user: { displayName: 'Paula P.' },
    })
    expect((await visitor.api('/profile')).json()).toMatchObject({ user: { displayName: 'Paula P.' } })
    expect((await visitor.api('/profile', { displayName: '' })).json()).toMatchObject({ user: { displayName: 'paula' } })
    expect((await visitor.api('/profile', { displayName: 'x'.repeat(65) })).status).toBe(422)
  })

  test('logging out works in any state, as often as asked', async () => {
    const visitor = site.visitor()
    for (let round = 0; round < 3; round++) expect((await visitor.api('/logout', {})).status).toBe(204)
  })

  test('a person who asks to be remembered gets a cookie that outlives the browser', async () => {
    const visitor = site.visitor()
    await visitor.register('rita')
    const kept = await visitor.logIn('rita', GOOD_PASSWORD, { remember: true })
    expect(kept.setCookies.join()).toContain(`Max-Age=${30 * 24 * 60 * 60}`)
    site.clock.forward('13d')
    expect((await visitor.api('/profile')).status).toBe(200)
  })
})

describe('the pages', () => {
  test('a visitor registers with a form and lands on the profile', async () => {
    const visitor = site.visitor()
    expect((await visitor.get('/register')).status).toBe(200)
    const registered = await visitor.form('/register', { username: 'bob', password: GOOD_PASSWORD })
    expect([registered.status, registered.location]).toEqual([303, '/profile?notice=registered'])
    const profile = await visitor.get('/profile?notice=registered')
    expect(profile.text).toContain('bob')
    expect(profile.text).toContain('Your account is ready')
  })

  test('a page for members leads to the login page and back', async () => {
    const visitor = site.visitor()
    await visitor.register('carla')
    await visitor.form('/logout', {})
    const asked = await visitor.get('/diary?page=2')
    expect([asked.status, asked.location]).toEqual([303, '/login?returnTo=%2Fdiary%3Fpage%3D2'])
    const page = await visitor.get(asked.location ?? '')
    expect(page.text).toContain('value="/diary?page=2"')
    const back = await visitor.form('/login', { username: 'carla', password: GOOD_PASSWORD, returnTo: '/diary?page=2' })
    expect([back.status, back.location]).toEqual([303, '/diary?page=2'])
    expect((await visitor.get('/diary?page=2')).text).toBe('Hello carla')
  })

  test('a wrong password shows the form again, the name kept, the password not', async () => {
    const visitor = site.visitor()
    await visitor.register('dora')
    const refused = await visitor.form('/login', { username: 'dora', password: 'not it, sorry' })
    expect(refused.status).toBe(401)
    expect(refused.text).toContain('value="dora"')
    expect(refused.text).not.toContain('not it, sorry')
    expect(refused.text).toContain('role="alert"')
  })

  test('somebody who is logged in is sent on from the login and registration pages', async () => {
    const visitor = site.visitor()
    await visitor.register('edith')
    expect((await visitor.get('/login')).location).toBe('/profile')
    expect((await visitor.get('/register?returnTo=/diary')).location).toBe('/diary')
  })

  test('opening the logout page changes nothing', async () => {
    const visitor = site.visitor()
    await visitor.register('fritz')
    expect((await visitor.get('/logout')).status).toBe(200)
    expect((await visitor.api('/profile')).status).toBe(200)
  })
})

describe('guards of the host application', () => {
  test('a guard answers with JSON where JSON is asked for', async () => {
    const visitor = site.visitor()
    const answer = await visitor.send('/diary', { headers: { accept: 'application/json' } })
    expect([answer.status, answer.json().code]).toEqual([401, 'login_required'])
  })

  test('a role is asked for, and a recent login', async () => {
    await site.membership.users.create({ username: 'keeper-kim', password: GOOD_PASSWORD, roles: ['admin'] })
    const stranger = site.visitor()
    await stranger.register('no-keeper')
    expect((await stranger.get('/vault')).status).toBe(403)

    const keeper = site.visitor()
    await keeper.logIn('keeper-kim')
    expect((await keeper.get('/vault')).text).toBe('gold')
    site.clock.forward('11m')
    const stale = await keeper.get('/vault')
    expect([stale.status, stale.location]).toEqual([303, '/reauthenticate?returnTo=%2Fvault'])
    const before = await keeper.sessionId()
    expect((await keeper.form('/reauthenticate', { password: 'wrong', returnTo: '/vault' })).status).toBe(401)
    const confirmed = await keeper.form('/reauthenticate', { password: GOOD_PASSWORD, returnTo: '/vault' })
    expect([confirmed.status, confirmed.location]).toEqual([303, '/vault'])
    expect((await keeper.get('/vault')).text).toBe('gold')
    expect((await rawGet(site.base, '/api/profile', `guildhall=${before}`)).status).toBe(401)
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
})
