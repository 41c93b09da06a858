// The session cookie: as strict as browsers allow, and read under its exact name alone.
import { describe, expect, test } from 'vitest'
import { createMembership } from '../../src/membership.ts'
import { siteOfTest } from '../support/artifacts.ts'
import { sendRaw } from '../support/raw.ts'
import { crawlRoutes } from '../support/route-crawler.ts'
import type { Site, SiteOptions } from '../support/site.ts'
import { type Answer, GOOD_PASSWORD, rawGet } from '../support/visitor.ts'

const HTTPS = 'https://localhost'

/** A host that writes into every session. */
const withNotes: SiteOptions = {
  routes: (app) => {
    app.get('/note', (req, res) => {
      Object.assign(req.session, { note: 'x' })
      res.json({ who: req.session.username ?? null })
    })
  },
}

/** Registers over an API call and gives the id that the answer handed out. */
async function idOfNewMember(site: Site, username: string): Promise<string> {
  const registered = await site.visitor().register(username)
  expect(registered.status).toBe(201)
  return /=([\w-]{43});/.exec(registered.setCookies[0] ?? '')?.[1] ?? 'none'
}

async function whoComesWith(site: Site, cookie: string): Promise<string> {
  const answer = await rawGet(site.base, '/api/profile', cookie)
  return answer.status === 200 ? answer.json<{ user: { username: string } }>().user.username : String(answer.status)
}

function readCookie(line: string) {
  const [pair = '', ...attributes] = line.split('; ')
  const at = pair.indexOf('=')
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes }
}

test.each([
  { baseUrl: 'http://localhost', name: 'guildhall', always: ['HttpOnly', 'Path=/', 'SameSite=Strict'] },
  { baseUrl: HTTPS, name: '__Host-guildhall', always: ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'] },
])('D-08 every cookie of every route at $baseUrl is as tight as it can be', async ({ baseUrl, name, always }) => {
  const site = await siteOfTest({ ...withNotes, baseUrl })
  const fields = { username: 'anna', password: GOOD_PASSWORD, displayName: 'Anna' }
  const member = site.visitor()
  await member.register('berta')
  const answers: Answer[] = [
    await site.visitor().get('/note'),
    await site.visitor().logIn('berta', GOOD_PASSWORD, { remember: true }),
  ]
  for (const visitor of [site.visitor(), member])
    answers.push(...(await crawlRoutes(site, visitor, fields)).map(({ answer }) => answer))
  const cookies = answers.flatMap(({ setCookies }) => setCookies).map(readCookie)
  expect(cookies.length).toBeGreaterThan(8)
  for (const cookie of cookies) {
    const lifetime = cookie.attributes.filter((attribute) => /^(?:Max-Age|Expires)=/.test(attribute))
    const rest = cookie.attributes.filter((attribute) => !lifetime.includes(attribute))
    const isMarker = cookie.name === `${name}-seen`
    const attributes = always.map((attribute) => (isMarker && attribute === 'SameSite=Strict' ? 'SameSite=Lax' : attribute))
    expect([cookie.name, rest.toSorted()]).toEqual([isMarker ? `${name}-seen` : name, attributes])
    const isCleared = cookie.value === ''
    expect(isCleared || (isMarker ? /^1$/ : /^[\w-]{43}$/).test(cookie.value)).toBe(true)
    if (isCleared) expect(lifetime.toSorted()).toEqual(['Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'Max-Age=0'])
    else if (lifetime.length > 0) {
      const [maxAge, expires = ''] = lifetime
      expect(maxAge).toBe(`Max-Age=${30 * 86_400}`)
      expect(Math.abs(Date.parse(expires.slice('Expires='.length)) - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000)
    }
  }
  expect(cookies.some(({ attributes }) => attributes.includes('Max-Age=0'))).toBe(true)
  expect(cookies.some(({ attributes }) => attributes.includes(`Max-Age=${30 * 86_400}`))).toBe(true)
})

test('D-09 the longest cookie that the settings allow is one that browsers keep', async () => {
  const name = 'n'.repeat(64)
  const site = await siteOfTest({
    baseUrl: HTTPS,
    cookie: { name },
    session: { rememberIdleTimeout: '400d', rememberAbsoluteTimeout: '400d' },
  })
  await site.visitor().register('anna')
  const form = { username: 'anna', password: GOOD_PASSWORD, remember: 'on', returnTo: `/${'r'.repeat(1000)}` }
  const [line = ''] = (await site.visitor().form('/login', form)).setCookies
  const { value, attributes } = readCookie(line)
  expect(Buffer.byteLength(`__Host-${name}${value}`)).toBeLessThanOrEqual(4096)
  for (const attribute of attributes) expect(Buffer.byteLength(attribute)).toBeLessThanOrEqual(1024)
  expect(attributes).toContain(`Max-Age=${400 * 86_400}`)
  const longer = { session: { rememberIdleTimeout: '400d', rememberAbsoluteTimeout: '401d' } } as const
  expect(() => createMembership({ baseUrl: HTTPS, database: 'sqlite::memory:', ...longer })).toThrow(/400d/)
})

test('D-10 plain HTTP in production has to be asked for', () => {
  const production = { database: 'sqlite:/nowhere/members.db', secret: 'x'.repeat(32) }
  expect(() => createMembership({ ...production, baseUrl: 'http://members.example' })).toThrow(/baseUrl must begin with https:/)
  expect(() => createMembership({ ...production, baseUrl: 'http://10.0.0.5:3000' })).toThrow(/baseUrl must begin with https:/)
  expect(() => createMembership({ ...production, baseUrl: 'http://localhost', production: true })).toThrow(
    /baseUrl must begin with https:/,
  )
  expect(() => createMembership({ ...production, baseUrl: 'http://localhost.evil.example' })).toThrow(
    /baseUrl must begin with https:/,
  )
})

describe('what a Cookie header may hold', () => {
  test('D-11 of several session cookies a live one is found, always the same, and a logout ends them all', async () => {
    const site = await siteOfTest(withNotes)
    const [anna, berta] = [await idOfNewMember(site, 'anna'), await idOfNewMember(site, 'berta')]
    const dead = 'D'.repeat(43)
    const both = (...ids: string[]) => ids.map((id) => `guildhall=${id}`).join('; ')
    for (const cookie of [
      both(dead, anna),
      both(anna, dead),
      both('', anna),
      both(anna, ''),
      both('%', dead, anna),
      both(anna, anna),
    ]) {
      expect([cookie, await whoComesWith(site, cookie)]).toEqual([cookie, 'anna'])
      // No new cookie: nothing would end a loop of them.
      expect((await rawGet(site.base, '/note', `${cookie}; guildhall-seen=1`)).setCookies).toEqual([])
    }
    for (let n = 0; n < 5; n++) {
      expect(await whoComesWith(site, both(anna, berta))).toBe('anna')
      expect(await whoComesWith(site, both(berta, anna))).toBe('berta')
    }
    const left = await site.visitor().send('/api/logout', { method: 'POST', headers: { cookie: both(dead, anna, berta) } })
    expect([left.status, left.setCookies.map((line) => line.split(';')[0])]).toEqual([204, ['guildhall=', 'guildhall-seen=']])
    expect([await whoComesWith(site, both(anna)), await whoComesWith(site, both(berta))]).toEqual(['401', '401'])
  })

  test('D-12 a name that only looks like ours is not ours', async () => {
    const site = await siteOfTest({ baseUrl: HTTPS })
    const id = await idOfNewMember(site, 'anna')
    expect(await whoComesWith(site, `__Host-guildhall=${id}`)).toBe('anna')
    const names = [
      '__host-guildhall',
      '__HOST-GUILDHALL',
      '__Host-Guildhall',
      'guildhall',
      '__Secure-guildhall',
      '%5F_Host-guildhall',
    ]
    const lookAlikes = [
      '%5f%5fHost-guildhall',
      '__Host-guildhall%20',
      'x__Host-guildhall',
      '__Host-guildhallx',
      '__Host-guildhall[0]',
      '"__Host-guildhall"',
      '$__Host-guildhall',
      '.__Host-guildhall',
      '__Host-guildhall ',
      '__Host-guildhall\t',
      '',
      '=__Host-guildhall',
      'a=__Host-guildhall',
      ',__Host-guildhall',
    ]
    // NBSP, U+2000, NEL, U+FEFF, a vertical tab: spaces to some, and nothing that we trim.
    const spaces = ['\xa0', '\xe2\x80\x80', '\x85', '\xef\xbb\xbf', '\x0b', '\x0c']
    const before = spaces.flatMap((space) => [`${space}__Host-guildhall`, `__Host-guildhall${space}`])
    const pairs = [...names, ...lookAlikes, ...before].map((name) => `${name}=${id}`)
    const values = [
      `"${id}"`,
      `${id}.`,
      `${id}=`,
      `${id}%00`,
      ` ${id}x`,
      `s:${id}`,
      `j:"${id}"`,
      encodeURIComponent(`s:${id}.x`),
      id.replace(/^./, (c) => `%${c.charCodeAt(0).toString(16)}`),
    ]
    const old = [`$Version=1,__Host-guildhall=${id}`, `$Version="1"; __Host-guildhall="${id}"; $Path="/"`]
    for (const cookie of [...pairs, ...values.map((value) => `__Host-guildhall=${value}`), ...old]) {
      const { status } = await sendRaw(site.base, { path: '/api/profile', headers: [`Cookie: ${cookie}`] })
      expect([400, 401], JSON.stringify(cookie)).toContain(status)
    }
  })

  test('D-13 a Cookie header that is no such thing is no login and no fault of the server', async () => {
    const site = await siteOfTest(withNotes)
    const id = await idOfNewMember(site, 'anna')
    const many = Array.from({ length: 200 }, (_, n) => `c${n}=v${n}`).join('; ')
    const junk = [
      'guildhall=%',
      'guildhall=%E0%A4',
      'guildhall',
      'guildhall=',
      '=;=;',
      ';;;;',
      '=',
      '\xff\xfe',
      'guildhall=\xff'.repeat(9),
      `guildhall=${'x'.repeat(8192)}`,
      'x'.repeat(8192),
      many,
      `${'guildhall=; '.repeat(600)}`,
      'guildhall=__proto__',
      '__proto__=x; constructor=y',
      '{"guildhall":1}',
    ]
    for (const cookie of junk) {
      for (const path of ['/api/profile', '/note']) {
        const answer = await sendRaw(site.base, { path, headers: [`Cookie: ${cookie}`] })
        expect([path, cookie.slice(0, 40), answer.status]).toEqual([path, cookie.slice(0, 40), path === '/note' ? 200 : 401])
      }
    }
    for (const cookie of [`guildhall=${id}\0`, `\0guildhall=${id}`, `a=${'x'.repeat(20_000)}; guildhall=${id}`]) {
      expect([400, 431]).toContain((await sendRaw(site.base, { path: '/api/profile', headers: [`Cookie: ${cookie}`] })).status)
    }
    // Beside all that, the real one is found.
    expect(await whoComesWith(site, `${many}; =;=; %=%; guildhall=${id}; x`)).toBe('anna')
    const twoHeaders = await sendRaw(site.base, { path: '/api/profile', headers: ['Cookie: a=b', `Cookie: guildhall=${id}`] })
    expect(twoHeaders.status).toBe(200)
  })
})
