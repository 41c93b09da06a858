// 1.C: which requests from elsewhere are refused, on which paths, and what another site can read: C-08 to C-16.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'
import { dump } from './dump.ts'
import { bodyFor, routesOf, writesOf } from './site-map.ts'
import { ask, rawBytes, statusesOf } from './wire.ts'

const EVIL = 'https://evil.example'
const APP = 'https://app.example.org'

let site: Site
let alice: Visitor
let cookie: string

beforeAll(async () => {
  site = await openSite({
    trustedOrigins: [APP],
    routes: (app, { membership }) => {
      app.post('/webhook', (_req, res) => void res.json({ taken: true }))
      app.post('/diary', membership.requireLogin, (req, res) => void res.send(`written by ${req.user?.username}`))
    },
  })
  alice = site.visitor()
  await alice.register('alice')
  cookie = `guildhall=${await alice.sessionId()}; guildhall-seen=1`
})

afterAll(() => site.close())

describe('before anything of a request is read', () => {
  test('C-08 every content type is refused, at every write of both endpoints', async () => {
    const types = [
      'text/plain',
      'multipart/form-data; boundary=x',
      'APPLICATION/JSON',
      '',
      'application/x-www-form-urlencoded; x',
      'application/json',
      'a',
      ';',
    ]
    for (const { path, input, endpoint } of writesOf(site)) {
      for (const type of types) {
        const headers = { cookie, 'sec-fetch-site': 'cross-site', origin: EVIL, ...(type !== '' && { 'content-type': type }) }
        const reply = await ask(site.base, path, { method: 'POST', headers, body: bodyFor(endpoint, input).body })
        expect([path, type, reply.status, reply.setCookies]).toEqual([path, type, 403, []])
      }
    }
    expect((await alice.api('/profile')).status).toBe(200)
  })

  test('C-08 a body that could not be parsed is not looked at', async () => {
    const headers = { cookie, 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' }
    for (const body of ['{', 'x'.repeat(100_000)])
      expect((await ask(site.base, '/api/profile', { method: 'POST', headers, body })).status).toBe(403)
  })

  test('C-08 with our cookie every unsafe method is refused everywhere, on unknown paths and on routes of the host too', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'LINK', 'PURGE', 'MERGE'])
      for (const path of [
        '/profile',
        '/api/profile',
        '/nothing-here',
        '/api/nothing',
        '/diary',
        '/webhook',
        '/assets/x.css',
        '//profile',
        '/',
      ]) {
        const reply = await ask(site.base, path, { method, headers: { cookie, 'sec-fetch-site': 'cross-site' } })
        expect([method, path, reply.status]).toEqual([method, path, 403])
      }
  })

  test('C-08 the cookie is recognised however it is wrapped', async () => {
    const [value = ''] = cookie.slice('guildhall='.length).split(';')
    const wrapped = [
      `a=b; ${cookie}`,
      `${cookie};`,
      `a=b;${cookie}`,
      `guildhall=; ${cookie}`,
      `guildhall="${value}"`,
      `$Version=1; ${cookie}`,
    ]
    for (const header of wrapped) {
      const reply = await ask(site.base, '/diary', {
        method: 'POST',
        headers: { cookie: header, 'sec-fetch-site': 'cross-site' },
      })
      expect([header, reply.status]).toEqual([header, 403])
    }
  })

  test("the library leaves a host's own webhooks alone", async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site', origin: EVIL },
      { origin: 'null' },
      { origin: EVIL, cookie: 'other=1' },
    ]) {
      const reply = await ask(site.base, '/webhook', { method: 'POST', headers })
      expect([reply.status, reply.text]).toEqual([200, '{"taken":true}'])
    }
  })
})

describe('writes that need no cookie', () => {
  const login = bodyFor('page', { username: 'mallory', password: GOOD_PASSWORD })
  const fromElsewhere = { 'sec-fetch-site': 'cross-site', origin: EVIL, 'content-type': login.type }

  test("C-09 nobody is logged in to the attacker's account by a page of the attacker", async () => {
    await site.visitor().register('mallory')
    for (const headers of [fromElsewhere, { ...fromElsewhere, cookie }, { origin: EVIL, 'content-type': login.type }]) {
      const reply = await ask(site.base, '/login', { method: 'POST', headers, body: login.body })
      expect([reply.status, reply.setCookies]).toEqual([403, []])
    }
    expect((await alice.api('/profile')).text).toContain('"username":"alice"')
  })

  test('C-11 nobody is registered by a page of the attacker', async () => {
    const { type, body } = bodyFor('page', { username: 'puppet', password: GOOD_PASSWORD })
    const reply = await ask(site.base, '/register', { method: 'POST', headers: { ...fromElsewhere, 'content-type': type }, body })
    expect([reply.status, reply.setCookies]).toEqual([403, []])
    expect((await site.visitor().logIn('puppet')).status).toBe(401)
  })

  test('C-10 nobody is logged out by a page of the attacker, nor by a GET', async () => {
    const reply = await ask(site.base, '/logout', { method: 'POST', headers: { ...fromElsewhere, cookie } })
    expect([reply.status, reply.setCookies]).toEqual([403, []])
    for (const path of ['/logout', '/logout?now=1', '/api/logout']) {
      const opened = await ask(site.base, path, {
        headers: { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
      })
      expect([path, opened.setCookies]).toEqual([path, []])
    }
    expect((await alice.api('/profile')).status).toBe(200)
  })
})

test('C-12 crawling every GET route twice, with a login and without, changes nothing but when it was last seen', async () => {
  const before = await dump(site)
  site.clock.forward('2m')
  for (let round = 0; round < 2; round++) {
    for (const { path } of routesOf(site)) {
      for (const headers of [{ cookie, accept: 'text/html' }, { accept: 'text/html' }, { cookie, accept: 'application/json' }]) {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
          const query = '?displayName=by-get&username=by-get&password=granite+lantern+ferry&_method=POST'
          const reply = await ask(site.base, path + query, { method, headers })
          expect([method, path, reply.status < 500, reply.setCookies]).toEqual([method, path, true, []])
        }
      }
    }
  }
  expect(await dump(site)).toEqual(before)
})

test('C-13 a method named in a header, a field or the query is not the method', async () => {
  const before = await dump(site)
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    const opened = await ask(site.base, '/logout?_method=POST', { headers: { cookie, [name]: 'POST' } })
    expect([name, opened.status, opened.setCookies]).toEqual([name, 200, []])
  }
  expect(await dump(site)).toEqual(before)
  const form = await ask(site.base, '/api/profile', {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json', 'x-http-method-override': 'DELETE' },
    body: '{"_method":"DELETE","displayName":"still a POST"}',
  })
  expect([form.status, JSON.parse(form.text).user.displayName]).toEqual([200, 'still a POST'])
})

describe('reading from another site', () => {
  const corsHeaders = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

  test('C-14 an origin is never reflected, on any path, by any method', async () => {
    const origins = [EVIL, 'null', 'http://localhost', `${APP}.evil.example`, 'http://app.example.org', `${APP}:444`, site.base]
    for (const { path } of routesOf(site))
      for (const origin of origins)
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const asks = { origin, cookie, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-evil' }
          const reply = await ask(site.base, path, { method, headers: { 'sec-fetch-site': 'cross-site', ...asks } })
          expect([path, origin, method, corsHeaders(reply.headers)]).toEqual([path, origin, method, []])
        }
  })

  test('C-14 a listed origin may read, by its name and never by *', async () => {
    const reply = await ask(site.base, '/api/profile', { headers: { origin: APP, cookie } })
    expect(reply.headers['access-control-allow-origin']).toBe(APP)
    expect(reply.headers['access-control-allow-credentials']).toBe('true')
    const preflight = await ask(site.base, '/api/profile', {
      method: 'OPTIONS',
      headers: { origin: APP, 'access-control-request-method': 'POST' },
    })
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, POST'])
  })

  test('C-15 answers say on which headers they depend', async () => {
    for (const { path } of routesOf(site)) {
      for (const method of ['GET', 'POST']) {
        const reply = await ask(site.base, path, { method, headers: { cookie, 'sec-fetch-site': 'cross-site' } })
        const vary = String(reply.headers.vary).toLowerCase().split(/,\s*/)
        expect([path, method, vary]).toEqual([path, method, expect.arrayContaining(['origin', 'sec-fetch-site', 'cookie'])])
      }
    }
    const guarded = await ask(site.base, '/diary', { method: 'POST', headers: { accept: 'application/json' } })
    expect([guarded.status, guarded.headers.vary]).toEqual([401, expect.stringContaining('Sec-Fetch-Site')])
  })
})

test('C-16 methods that nobody serves are refused', async () => {
  for (const path of new Set(routesOf(site).map((place) => place.path))) {
    for (const method of ['TRACE', 'PROPFIND', 'PUT', 'DELETE', 'PATCH', 'QUERY']) {
      const reply = await ask(site.base, path, { method })
      expect([path, method, reply.status, typeof reply.headers.allow]).toEqual([path, method, 405, 'string'])
    }
  }
  const connected = await rawBytes(site.base, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n')
  expect(statusesOf(connected).filter((status) => status < 400)).toEqual([])
})
