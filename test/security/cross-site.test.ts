// 1.C: what a browser says of a write from another site, and that none of those acts: C-01 to C-07.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openInternals } from '../../src/membership.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD, type Visitor } from '../support/visitor.ts'
import { bodyFor } from './site-map.ts'
import { ask } from './wire.ts'

const EVIL = 'https://evil.example'
const APP = 'https://app.example.org'

let site: Site
let alice: Visitor
let cookie: string

beforeAll(async () => {
  site = await openSite({
    trustedOrigins: [APP],
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
    // A page without a referrer names no origin, also when its form is sent once more.
    for (const origin of [site.base, 'null']) expect(await write({ 'sec-fetch-site': 'none', origin })).toEqual(PASSED)
  })

  test('somebody who says that no page sent it, and names a page elsewhere, is refused', async () => {
    for (const origin of [EVIL, 'https://evil.example.org', `${site.base}.evil.example`])
      expect([origin, await write({ 'sec-fetch-site': 'none', origin })]).toEqual([origin, REFUSED])
    expect(await write({ 'sec-fetch-site': 'none', origin: APP })).toEqual(PASSED)
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
    const start = () => openInternals({ baseUrl: 'http://localhost:1', database: 'sqlite::memory:', trustedOrigins: [origin] })
    expect(start, origin).toThrow(/trustedOrigins must be exact origins/)
  }
})
