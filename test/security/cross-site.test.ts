// 1.C: what another site can make a browser send, and that none of it acts.
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildHouse } from '../../src/membership.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'
import { bodyFor, placesOf, writesOf } from './site-map.ts'
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
  cookie = `guildhall=${await alice.sessionId()}`
})

afterAll(() => site.close())

/** A write to the profile with Alice's cookie; says what came of it. */
async function write(
  headers: Record<string, string>,
  at = site.base,
): Promise<{ status: number; code: unknown; written: boolean }> {
  const displayName = `Alice ${crypto.randomUUID()}`.slice(0, 40)
  const { type, body } = bodyFor('api', { displayName })
  const reply = await ask(at, '/api/profile', { method: 'POST', headers: { cookie, 'content-type': type, ...headers }, body })
  const now = (await alice.api('/profile')).text
  const code: unknown = reply.status < 300 ? undefined : JSON.parse(reply.text).code
  return { status: reply.status, code, written: now.includes(displayName) }
}

const REFUSED = { status: 403, code: 'cross_site_request', written: false }
const PASSED = { status: 200, code: undefined, written: true }

describe('what the browser says of a request', () => {
  test('C-01 a write from another site is refused and changes nothing', async () => {
    expect(await write({ 'sec-fetch-site': 'cross-site', origin: EVIL })).toEqual(REFUSED)
    expect(await write({ 'sec-fetch-site': 'cross-site' })).toEqual(REFUSED)
  })

  test('C-01 the header decides also where Origin claims to be ours', async () => {
    expect(await write({ 'sec-fetch-site': 'cross-site', origin: site.base })).toEqual(REFUSED)
  })

  test('C-02 a write from a sibling subdomain is refused, unless its origin is listed', async () => {
    expect(await write({ 'sec-fetch-site': 'same-site', origin: 'https://evil.example.org' })).toEqual(REFUSED)
    expect(await write({ 'sec-fetch-site': 'same-site', origin: APP })).toEqual(PASSED)
    expect(await write({ 'sec-fetch-site': 'cross-site', origin: APP })).toEqual(PASSED)
  })

  test('C-02 an origin that only resembles a listed one is refused', async () => {
    const alike = [
      `${APP}:443`,
      `${APP}/`,
      `${APP}.evil.example`,
      'http://app.example.org',
      APP.toUpperCase(),
      `${APP}, ${EVIL}`,
      `${EVIL} ${APP}`,
    ]
    for (const origin of alike)
      expect([origin, await write({ 'sec-fetch-site': 'cross-site', origin })]).toEqual([origin, REFUSED])
  })

  test('C-03 same-origin and none pass', async () => {
    expect(await write({ 'sec-fetch-site': 'same-origin', origin: site.base })).toEqual(PASSED)
    expect(await write({ 'sec-fetch-site': 'none' })).toEqual(PASSED)
  })

  test('C-06 values that nobody knows fail closed', async () => {
    const values = [
      'banana',
      '',
      'Same-Origin',
      'SAME-ORIGIN',
      'same-origin, cross-site',
      'same-origin, same-origin',
      'none;',
      'null',
      '"none"',
    ]
    for (const value of values) {
      const came = await write({ 'sec-fetch-site': value, origin: site.base })
      expect([value, came]).toEqual([value, REFUSED])
    }
  })

  test('C-06 the header sent twice fails closed', async () => {
    for (const pair of [
      ['same-origin', 'cross-site'],
      ['none', 'none'],
    ]) {
      const headers: [string, string][] = [
        ['cookie', cookie],
        ['content-type', 'application/json'],
      ]
      for (const value of pair) headers.push(['sec-fetch-site', value])
      expect((await ask(site.base, '/api/profile', { method: 'POST', headers, body: '{}' })).status).toBe(403)
    }
  })
})

describe('an older browser, which sends Origin alone', () => {
  test('C-04 behind TLS only the https base URL passes: scheme, host and port', async () => {
    const secure = await openSite({ baseUrl: 'https://app.example', secret: 'x'.repeat(43), production: false })
    const login = bodyFor('api', { username: 'nobody', password: GOOD_PASSWORD })
    const send = async (origin: string) => {
      const headers = { host: 'app.example', origin, 'content-type': login.type }
      return (await ask(secure.base, '/api/login', { method: 'POST', headers, body: login.body })).status
    }
    const foreign = [
      'http://app.example', 'http://app.example:443', 'https://app.example:444', 'https://app.example:8443', 'null', 'https://app.example.evil',
      'https://app.example@evil', 'https://app', 'https://evil', 'https://sub.app.example', 'https://app.example.', 'https://APP.EXAMPLE',
      'https://app.example/', 'https://app.example:443', 'app.example', '//app.example', 'https://app.example, https://evil', 'file://',
      'https://app.example#https://evil', 'https://аpp.example', 'chrome-extension://app.example', '',
    ].map((origin) => Buffer.from(origin).toString('latin1')) // biome-ignore format: a list reads as a block
    for (const origin of foreign) expect([origin, await send(origin)]).toEqual([origin, 403])
    expect(await send('https://app.example')).toBe(401)
    await secure.close()
  })

  test('C-04 over plain HTTP another port or scheme of the same host is refused', async () => {
    const { port } = new URL(site.base)
    expect(await write({ origin: `https://localhost:${port}` })).toEqual(REFUSED)
    expect(await write({ origin: 'http://localhost' })).toEqual(REFUSED)
    expect(await write({ origin: `http://127.0.0.1:${port}` })).toEqual(REFUSED)
    expect(await write({ origin: 'null' })).toEqual(REFUSED)
    expect(await write({ origin: site.base })).toEqual(PASSED)
  })

  test('C-04 neither the Host header nor a forwarding header moves the comparison', async () => {
    for (const name of ['host', 'x-forwarded-host', 'x-forwarded-server', 'x-original-host', 'forwarded'])
      expect([name, await write({ origin: EVIL, [name]: 'evil.example' })]).toEqual([name, REFUSED])
  })
})

describe('a program, which sends neither', () => {
  test('C-05 it passes', async () => {
    expect(await write({})).toEqual(PASSED)
  })

  test('C-05 with strictOrigin it has to say where it comes from', async () => {
    const strict = await openSite({ strictOrigin: true })
    const visitor = strict.visitor()
    expect((await visitor.register('carl')).status).toBe(403)
    const headers = { origin: strict.base }
    expect((await visitor.api('/register', { username: 'carl', password: GOOD_PASSWORD }, { headers })).status).toBe(201)
    await strict.close()
  })
})

test('C-07 listed origins are exact, or nothing starts', () => {
  const bad = [
    'https://ok.example/path',
    '*.example',
    'https://*.example',
    'https://ok.example/',
    'ok.example',
    'null',
    '*',
    '',
    'https://user@ok.example',
  ]
  bad.push('https://ok.example:443', 'HTTPS://ok.example', 'https://ok.example?x', 'ftp://ok.example', 'https://ok.example ')
  for (const origin of bad) {
    const start = () => buildHouse({ baseUrl: 'http://localhost:1', database: 'sqlite::memory:', trustedOrigins: [origin] })
    expect(start, origin).toThrow(/trustedOrigins must be exact origins/)
  }
})

describe('before anything of a request is read', () => {
  test('C-08 every content type is refused, at every write of both doors', async () => {
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
    for (const { path, input, door } of writesOf(site)) {
      for (const type of types) {
        const headers = { cookie, 'sec-fetch-site': 'cross-site', origin: EVIL, ...(type !== '' && { 'content-type': type }) }
        const reply = await ask(site.base, path, { method: 'POST', headers, body: bodyFor(door, input).body })
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
    const value = cookie.slice('guildhall='.length)
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
  const before = dump()
  site.clock.forward('2m')
  for (let round = 0; round < 2; round++) {
    for (const { path } of placesOf(site)) {
      for (const headers of [{ cookie, accept: 'text/html' }, { accept: 'text/html' }, { cookie, accept: 'application/json' }]) {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
          const query = '?displayName=by-get&username=by-get&password=granite+lantern+ferry&_method=POST'
          const reply = await ask(site.base, path + query, { method, headers })
          expect([method, path, reply.status < 500, reply.setCookies]).toEqual([method, path, true, []])
        }
      }
    }
  }
  expect(dump()).toEqual(before)
})

test('C-13 a method named in a header, a field or the query is not the method', async () => {
  const before = dump()
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    const opened = await ask(site.base, '/logout?_method=POST', { headers: { cookie, [name]: 'POST' } })
    expect([name, opened.status, opened.setCookies]).toEqual([name, 200, []])
  }
  expect(dump()).toEqual(before)
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
    for (const { path } of placesOf(site))
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
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, POST'])
  })

  test('C-15 answers say on which headers they depend', async () => {
    for (const { path } of placesOf(site)) {
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
  for (const path of new Set(placesOf(site).map((place) => place.path))) {
    for (const method of ['TRACE', 'PROPFIND', 'PUT', 'DELETE', 'PATCH', 'QUERY']) {
      const reply = await ask(site.base, path, { method })
      expect([path, method, reply.status, typeof reply.headers.allow]).toEqual([path, method, 405, 'string'])
    }
  }
  const connected = await rawBytes(site.base, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n')
  expect(statusesOf(connected).filter((status) => status < 400)).toEqual([])
})

/** All rows of all tables, without what a visit is allowed to move. */
function dump(): unknown {
  const database = new DatabaseSync(site.file, { readOnly: true })
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const rows = tables.map(({ name }) => [
    name,
    database
      .prepare(`SELECT * FROM "${name}"`)
      .all()
      .map(({ last_seen_at, expires_at, ...row }) => row),
  ])
  database.close()
  return rows
}
