// createMembership() as an application developer meets it: options, one app.use, a path, mistakes.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createMembership, type Membership, type MembershipOptions } from 'guildhall'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHEAP_HASHES, listen, openSite, portOf } from './support/site.ts'
import { GOOD_PASSWORD, Visitor } from './support/visitor.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const GOOD: MembershipOptions = { baseUrl: 'http://localhost:3000', database: 'sqlite::memory:' }

/** The faults that an error lists, for options that are wrong. */
function faultsOf(options: object): string {
  try {
    void createMembership({ ...GOOD, ...options }).close()
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  return ''
}

describe('options', () => {
  test('X-01 every fault is told at once, with what to write instead', () => {
    const reported = faultsOf({
      baseUrl: 'https://example.org/members',
      database: 'mysql://x',
      path: 'members/',
      siteName: ' ',
      styleSheet: 5,
      session: { idleTimeout: '15 minutes', absoluteTimeout: '12h', sliding: true },
      cookie: { name: '__Host-mine', sameSite: 'none' },
      passwords: { minLength: 4, hash: 'md5' },
      trustedOrigins: ['*.example.org', 'https://ok.example/path'],
      registration: 'sometimes',
      colour: 'green',
    })
    for (const part of [
      'baseUrl must be an origin',
      "database must be 'sqlite:PATH'",
      "path must look like '/members'",
      'siteName',
      'styleSheet must be a text of CSS',
      "session.idleTimeout must be a duration like '15m'",
      'there is no option session.sliding',
      'cookie.name',
      'cookie.sameSite must be one of strict, lax',
      'passwords.minLength',
      'passwords.hash must be one of argon2id, bcrypt',
      "'*.example.org'",
      "'https://ok.example/path'",
      'registration must be one of open, closed',
      'there is no option colour',
    ]) {
      expect(reported).toContain(part)
    }
  })

  test.each([
    [{ secert: 'x' }, 'there is no option secert: is secret meant?'],
    [{ base_url: 'x' }, 'there is no option base_url: is baseUrl meant?'],
    [{ idleTimeout: '15m' }, 'there is no option idleTimeout: is session.idleTimeout meant?'],
    [{ sesion: {} }, 'there is no option sesion: is session meant?'],
    [{ feature: {} }, 'there is no option feature: is features meant?'],
    [{ session: { idletimeout: '15m' } }, 'there is no option session.idletimeout: is session.idleTimeout meant?'],
    [{ cookie: { samesite: 'lax' } }, 'there is no option cookie.samesite: is cookie.sameSite meant?'],
    [{ passwords: { peper: 'x' } }, 'there is no option passwords.peper: is passwords.pepper meant?'],
    [{ features: { logn: false } }, 'there is no option features.logn: is features.login meant?'],
    [{ features: { login: { pages: '/x' } } }, 'there is no option features.login.pages: is features.login.page meant?'],
    [{ colour: 'green' }, 'there is no option colour; known are baseUrl, '],
  ])('a developer who writes %j reads which option was meant', (options, reported) => {
    expect(faultsOf(options)).toContain(reported)
  })

  test('X-01 B-22 D-10 what is unsafe is refused in production, and no secret is repeated', () => {
    const reported = faultsOf({
      production: true,
      baseUrl: 'http://example.org',
      secret: 'too short a secret',
      rateLimit: false,
      passwords: { memoryKiB: 1024, passes: 1 },
    })
    for (const part of [
      'https: in production',
      'sqlite::memory:',
      'secret must have 32 bytes',
      'rateLimit',
      'memoryKiB',
      'passes',
    ]) {
      expect(reported).toContain(part)
    }
    expect(reported).not.toContain('too short a secret')
    expect(faultsOf({ baseUrl: 'https://example.org', database: `sqlite:${join(folder, 'x.db')}` })).toContain(
      'secret is required',
    )
  })

  test('X-01 what is no group of options is told like any other fault', () => {
    const nothing = [null, 5, 'x', []]
    for (const features of nothing) expect(faultsOf({ features })).toContain('features must be an object like')
    for (const login of [...nothing, true, () => 1])
      expect(faultsOf({ features: { login }, siteName: ' ' })).toMatch(/siteName .*features\.login must be false, or paths like/)
    for (const page of [...nothing, Symbol('x'), () => 1])
      expect(faultsOf({ features: { profile: { page } } })).toContain("features.profile.page must be a path like '/some/path'")
    for (const own of [undefined, ...nothing, ['/sign-in']])
      expect(faultsOf({ features: { login: { page: { own } } } })).toContain("features.login.page must be { own: '/some/path' }")
    for (const session of nothing) expect(faultsOf({ session })).toContain('session must be an object of options')
    expect(faultsOf({ features: { profile: { page: undefined }, login: undefined } })).toBe('')
  })

  test.each([[undefined], [null], ['x'], [[]]])('X-01 with %j for options, what is missing is said', (options) => {
    expect(() => Reflect.apply(createMembership, undefined, [options])).toThrow(
      new TypeError("createMembership needs options: { baseUrl: 'https://example.org', database: 'sqlite:./data/members.db' }"),
    )
  })

  test('B-22 a value is shown where it cannot be a secret', () => {
    expect(faultsOf({ baseUrl: 'example.org' })).toContain("got 'example.org'")
    expect(faultsOf({ passwords: { minLength: 4 } })).toContain('got 4')
    const secret = 'in-nobodys-log'
    for (const options of [
      { baseUrl: `http://u:${secret}@localhost` },
      { baseUrl: { url: secret } },
      { trustedOrigins: ['https://ok.example', `https://u:${secret}@ok.example/`] },
      { trustedOrigins: [{ secret }] },
      { hooks: { beforeSignIn() {}, apiKey: secret } },
      { logger: { token: secret } },
    ]) {
      const reported = faultsOf(options)
      expect(reported).toContain('must')
      expect(reported).not.toContain(secret)
    }
  })
})

describe('in an application', () => {
  test('without migrate() the first request says what is missing', async () => {
    const membership = createMembership({ ...GOOD, database: `sqlite:${join(folder, 'fresh.db')}` })
    const app = express()
    app.use(membership)
    app.get('/', (_req, res) => {
      res.send('never')
    })
    const server = await listen(createServer(app))
    const answer = await new Visitor(`http://localhost:${portOf(server)}`).get('/')
    expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('await membership.migrate()')])
    server.close()
    await membership.close()
  })

  test('a mount path is refused with the option that does it', async () => {
    const site = await openSite({ routes: (app, { membership }) => app.use('/members', membership) })
    expect((await site.visitor().get('/members/login')).text).toContain('the option path: &#39;/members&#39;')
    await site.close()
  })

  test('with a path everything of ours moves below it, and the rest of the site stays the host’s', async () => {
    const site = await openSite({
      path: '/members',
      routes: (app, { membership }) => {
        app.get('/login', (_req, res) => {
          res.send('the host’s own login')
        })
        app.get('/diary', membership.requireLogin, (req, res) => {
          res.send(`Hello ${req.session.username}`)
        })
      },
    })
    const visitor = site.visitor()
    expect((await visitor.get('/login')).text).toBe('the host’s own login')
    expect((await visitor.get('/diary')).location).toBe('/members/login?returnTo=%2Fdiary')
    expect((await visitor.get('/register')).status).toBe(404)
    const page = await visitor.get('/members/register')
    expect(page.text).toContain('action="/members/register"')
    const asset = /href="(\/members\/assets\/[^"]+\.css)"/.exec(page.text)?.[1] ?? ''
    expect((await visitor.get(asset)).headers.get('content-type')).toBe('text/css; charset=utf-8')
    expect((await visitor.form('/members/register', { username: 'anna', password: GOOD_PASSWORD })).location).toBe(
      '/members/profile?notice=registered',
    )
    expect((await visitor.get('/diary')).text).toBe('Hello anna')
    expect((await visitor.send('/members/api/profile')).status).toBe(200)
    await site.close()
  })

  test.each([
    ['express.json()', [express.json()]],
    ['express.urlencoded()', [express.urlencoded({ extended: true })]],
    ['both', [express.json(), express.urlencoded({ extended: true })]],
  ])('before or after the body parsers of the application makes no difference: %s', async (_name, parsers) => {
    const site = await openSite({ before: (app) => app.use(parsers) })
    const visitor = site.visitor()
    expect((await visitor.register('otto')).status).toBe(201)
    expect((await visitor.form('/login', { username: 'otto', password: GOOD_PASSWORD })).location).toBe('/profile')
    expect((await visitor.form('/login', `username=otto&username=anna&password=${GOOD_PASSWORD}`)).status).toBe(422)
    expect((await visitor.api('/login', { username: 'otto', password: GOOD_PASSWORD })).status).toBe(200)
    expect((await visitor.api('/logout', {})).status).toBe(204)
    await site.close()
  })

  test('two memberships live in one process, each with its own people and its own cookie', async () => {
    const memberships: Membership[] = []
    const app = express()
    const server = await listen(createServer(app))
    const baseUrl = `http://localhost:${portOf(server)}`
    for (const name of ['red', 'blue']) {
      const membership = createMembership({
        baseUrl,
        database: `sqlite:${join(folder, `${name}.db`)}`,
        path: `/${name}`,
        cookie: { name },
        passwords: CHEAP_HASHES,
      })
      await membership.migrate()
      memberships.push(membership)
    }
    const [red, blue] = memberships
    app.use((req, res, next) => (req.path.startsWith('/red') ? red?.(req, res, next) : blue?.(req, res, next)))
    const visitor = new Visitor(baseUrl)
    const body = JSON.stringify({ username: 'anna', password: GOOD_PASSWORD })
    const headers = { 'content-type': 'application/json' }
    expect((await visitor.send('/red/api/register', { method: 'POST', body, headers })).status).toBe(201)
    expect((await visitor.send('/blue/api/profile')).status).toBe(401)
    expect((await visitor.send('/blue/api/register', { method: 'POST', body, headers })).status).toBe(201)
    expect((await visitor.send('/red/api/logout', { method: 'POST' })).status).toBe(204)
    expect((await visitor.send('/blue/api/profile')).status).toBe(200)
    server.close()
    for (const membership of memberships) await membership.close()
  })

  test('events tell what happened, and a listener that throws spoils nothing', async () => {
    const site = await openSite()
    const reported: string[] = []
    site.membership.on('registered', ({ user }) => {
      reported.push(`registered ${user.username}`)
      throw new Error('a listener of the host')
    })
    site.membership.on('login', ({ outcome }) => void reported.push(`login ${outcome}`))
    site.membership.on('logout', ({ user }) => void reported.push(`logout ${user.username}`))
    const visitor = site.visitor()
    expect((await visitor.register('eva')).status).toBe(201)
    await visitor.logIn('eva', 'wrong, all wrong')
    await visitor.api('/logout', {})
    expect(reported).toEqual(['registered eva', 'login success', 'login wrong_credentials', 'logout eva'])
    expect(site.logs.map(({ message }) => message)).toContain('a listener of an event failed')
    await site.close()
  })

  test('membership.user(req) knows the user behind a request that never met Express, such as an upgrade', async () => {
    const site = await openSite()
    const visitor = site.visitor()
    await visitor.register('wanda')
    const names: (string | undefined)[] = []
    const server = await listen(
      createServer((req, res) => {
        void site.membership.user(req).then((user) => {
          names.push(user?.username)
          res.end()
        })
      }),
    )
    const cookie = `guildhall=${await visitor.sessionId()}`
    await fetch(`http://localhost:${portOf(server)}`, { headers: { cookie } })
    await fetch(`http://localhost:${portOf(server)}`)
    expect(names).toEqual(['wanda', undefined])
    server.close()
    await site.close()
  })
})

describe('features', () => {
  test('what is left out is not served, not linked to, and free for the application', async () => {
    const site = await openSite({
      features: { registration: false, security: false, profile: false },
      routes: (app, { membership }) => {
        app.get('/profile', membership.requireLogin, (req, res) => {
          res.send(`our own profile of ${req.session.username}`)
        })
      },
    })
    await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD })
    const visitor = site.visitor()
    const statuses = []
    for (const path of ['/register', '/account/security', '/api/register', '/api/account/sessions']) {
      statuses.push((await visitor.get(path)).status)
    }
    expect(statuses).toEqual([404, 404, 404, 404])
    expect((await visitor.api('/register', { username: 'eve', password: GOOD_PASSWORD })).status).toBe(404)
    const page = await visitor.get('/login')
    expect(page.text).not.toContain('/register')
    expect((await visitor.form('/login', { username: 'anna', password: GOOD_PASSWORD })).location).toBe('/')
    expect((await visitor.get('/profile')).text).toBe('our own profile of anna')
    expect((await visitor.get('/logout')).text).not.toContain('/account/security')
    await site.close()
  })

  test('a page moves with its JSON endpoint, and every link and redirect follows', async () => {
    const site = await openSite({
      path: '/club',
      features: { login: { page: '/enter' }, profile: { page: '/me' } },
      routes: (app, { membership }) => {
        app.get('/diary', membership.requireLogin, (_req, res) => {
          res.send('dear diary')
        })
      },
    })
    const visitor = site.visitor()
    expect((await visitor.get('/diary')).location).toBe('/club/enter?returnTo=%2Fdiary')
    expect((await visitor.get('/club/login')).status).toBe(404)
    expect((await visitor.get('/club/enter')).text).toContain('action="/club/enter"')
    expect((await visitor.form('/club/register', { username: 'anna', password: GOOD_PASSWORD })).location).toBe(
      '/club/me?notice=registered',
    )
    expect((await visitor.send('/club/api/me')).status).toBe(200)
    expect((await visitor.send('/club/api/profile')).status).toBe(404)
    expect((await visitor.form('/club/logout', {})).location).toBe('/club/enter?notice=logged_out')
    await site.close()
  })

  test('paths below a moved path move with it', async () => {
    const site = await openSite({ features: { security: { page: '/me/security', sessions: '/me/devices' } } })
    const visitor = site.visitor()
    await visitor.register('anna')
    await site.visitor().logIn('anna')
    const page = await visitor.get('/me/security')
    expect(page.text).toContain('action="/me/devices/end-others"')
    expect(page.text).toMatch(/action="\/me\/devices\/[\w-]+\/end"/)
    expect((await visitor.form('/me/devices/end-others', {})).location).toBe('/me/security?notice=other_sessions_ended')
    expect((await visitor.send('/api/me/devices')).status).toBe(200)
    expect((await visitor.get('/account/security')).status).toBe(404)
    await site.close()
  })

  test.each(['/login', '/sign-in'] as const)('the login page may be one of the application, at %s', async (own) => {
    const site = await openSite({
      features: { login: { page: { own } } },
      routes: (app, { membership }) => {
        app.get(own, (_req, res) => void res.send('our own way in'))
        app.get('/diary', membership.requireLogin, (_req, res) => void res.send('dear diary'))
      },
    })
    await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD })
    const visitor = site.visitor()
    const sent = await visitor.get('/diary')
    expect([sent.status, sent.location]).toEqual([303, `${own}?returnTo=%2Fdiary`])
    expect((await visitor.get(own)).text).toBe('our own way in')
    expect((await visitor.get('/register')).text).toContain(`href="${own}"`)
    const fields = { username: 'anna', password: GOOD_PASSWORD, returnTo: '/diary' }
    const refused = await visitor.form('/login', { ...fields, password: 'wrong, all wrong' })
    expect(refused.status).toBe(401)
    expect(refused.text).toContain(`<a class="button primary" href="${own}?returnTo=%2Fdiary">`)
    expect((await visitor.form('/login', fields)).location).toBe('/diary')
    expect((await visitor.get('/diary')).text).toBe('dear diary')
    expect((await visitor.form('/logout', {})).location).toBe(`${own}?notice=logged_out`)
    expect((await visitor.api('/login', { username: 'anna', password: GOOD_PASSWORD })).status).toBe(200)
    if (own !== '/login') expect((await visitor.get('/login')).text).toContain('Cannot GET /login')
    await site.close()
  })

  test('guards always have somewhere to send people: what takes that away is a fault that says what to write', async () => {
    expect(faultsOf({ features: { login: false } })).toContain("{ page: { own: '/sign-in' } }")
    expect(faultsOf({ features: { language: { choose: { own: '/here' } } } })).toContain('features.language.choose is no page')
    const site = await openSite({ features: { 'recent-login': false } })
    expect((await site.visitor().get('/reauthenticate')).status).toBe(404)
    expect(() => site.membership.requireMember({ within: '10m' })).toThrow('within needs the feature recent-login')
    expect(site.membership.requireMember({ role: 'admin' })).toBeTypeOf('function')
    await site.close()
  })

  test('a move that cannot be is a fault at the start', () => {
    const reported = faultsOf({ features: { login: { page: 'enter/' }, profile: { page: '/api/me' }, dashboard: false } })
    expect(reported).toContain("features.login.page must be a path like '/some/path'")
    expect(reported).toContain('features.profile.page must not begin with /api or /assets')
    expect(reported).toContain('there is no option features.dashboard')
  })

  test('two pages at one path are a fault that names both, and no database is made', () => {
    const database = `sqlite:${join(folder, 'never', 'made.db')}`
    const reported = faultsOf({ database, siteName: ' ', features: { profile: { page: '/login' } } })
    expect(reported.match(/features\S+ and \S+ cannot both be at \S+/g)).toEqual([
      'features.login.page and features.profile.page cannot both be at /login',
    ])
    expect(reported).toContain('siteName')
    expect(existsSync(join(folder, 'never'))).toBe(false)
  })

  test('a path whose page is given to the application takes no other page of ours', () => {
    const login = { page: { own: '/sign-in' } }
    expect(faultsOf({ features: { login, security: { page: '/login' } } })).toContain(
      'features.login.page and features.security.page cannot both be at /login',
    )
    expect(faultsOf({ features: { security: { page: { own: '/safe' } }, profile: { page: '/account/security' } } })).toBe('')
  })

  test.each([
    ['/profile', 'features.profile.page'],
    ['/register', 'features.registration.page'],
    ['/language', 'features.language.choose'],
    ['/api/profile', 'features.profile.page'],
    ['/account/sessions/x/end', 'features.security.sessions'],
  ])('the page of the application is not at %s, which is ours', (own, name) => {
    expect(faultsOf({ features: { login: { page: { own } } } })).toContain(
      `features.login.page is to be a page of your application, and ${own} is served for ${name}`,
    )
    expect(faultsOf({ path: '/members', features: { login: { page: { own: `/members${own}` } } } })).toContain(name)
    expect(faultsOf({ path: '/members', features: { login: { page: { own } } } })).toBe('')
  })
})
