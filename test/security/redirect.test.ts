// 1.I: redirects: no open redirect, no response splitting.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localPath } from '../../src/http/return-to.ts'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { routesOf } from './site-map.ts'
import { ask, type Reply, rawBytes } from './wire.ts'

const RUNS = Number(process.env.REQUESTS ?? (process.env.REQUIRE_ALL === '1' ? 20_000 : 4000))

let site: Site
let members: Site
let cookies: Map<Site, string>

beforeAll(async () => {
  const routes = (app: Site['app'], { membership }: Pick<Site, 'membership'>) => {
    app.use('/guarded', membership.requireLogin, (_req, res) => void res.send('inside'))
    app.use(membership.requireMember({ within: '1m' }), (_req, res) => void res.send('recent'))
  }
  site = await openSite({ routes })
  members = await openSite({ routes, path: '/members' })
  cookies = new Map()
  for (const each of [site, members]) {
    const { username } = await each.membership.users.create({ username: 'alice', password: GOOD_PASSWORD })
    const login = await ask(each.base, `${each.http.path}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: GOOD_PASSWORD }),
    })
    cookies.set(each, login.setCookies[0]?.split(';')[0] ?? '')
  }
})

afterAll(() => Promise.all([site.close(), members.close()]))

const PAYLOADS = [
  '//evil.example', '///evil.example', '////evil.example', '/\\evil.example', '\\\\evil.example', '\\/evil.example', '/\\/evil.example', '//\\evil.example',
  'https:evil.example', 'https:/evil.example', 'https://evil.example', 'HTTPS://evil.example', 'http:\\\\evil.example', '/%09/evil.example', '/\t/evil.example',
  '\t//evil.example', ' //evil.example', '/\n/evil.example', '/\r\n/evil.example', '\u0000//evil.example', '/\u0000/evil.example', '\u2028//evil.example',
  '/..//evil.example', '/.//evil.example', '/a/..//evil.example', '/%2e%2e//evil.example', '/%2e//evil.example', '/./\\evil.example', '/a/../../..//evil.example',
  'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:x', '@evil.example', '/@evil.example', ':@evil.example',
  'localhost@evil.example', '//localhost@evil.example', '//evil.example@localhost', '//localhost:80@evil.example', '／／evil.example', '/／evil.example', '/\uFF3Cevil.example',
  '//evil%E3%80%82example', '//3232235777', '//[::1]', '?//evil.example', '#//evil.example', 'evil.example', './/evil.example', '..//evil.example', '', '/', '//', '///',
  '/profile\\@evil.example', '/;//evil.example', '/%5cevil.example', '/%2f%2fevil.example', '/\u202e//evil', `/${'a'.repeat(3000)}`, '/\ud800', '/<script>', '/"><img src=x>',
] // biome-ignore format: a list reads as a block

/** The target of a browser at this page by such a header. Absent: it stays. */
function destination({ headers }: Reply, base: string): URL {
  return new URL(headers.location === undefined ? base : String(headers.location), `${base}/members/login`)
}

describe.each(['the root', '/members'])('I-10 with pages at %s', (where) => {
  const at = () => (where === 'the root' ? site : members)

  test.each(PAYLOADS.map((payload) => [JSON.stringify(payload).slice(0, 40), payload]))(
    '%s leads nowhere else',
    async (_name, payload) => {
      const { base, http } = at()
      const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
      const cookie = cookies.get(at()) ?? ''
      const query = encodeURIComponent(payload.toWellFormed())
      const replies: Reply[] = []
      for (const fields of [
        { username: 'alice', password: GOOD_PASSWORD },
        { username: 'alice', password: 'wrong' },
      ]) {
        const body = `${new URLSearchParams(fields).toString()}&returnTo=${query}`
        replies.push(await ask(base, `${http.path}/login`, { method: 'POST', headers: form, body }))
        replies.push(
          await ask(base, `${http.path}/login?returnTo=${query}`, {
            method: 'POST',
            headers: form,
            body: String(new URLSearchParams(fields)),
          }),
        )
      }
      const username = `u${crypto.randomUUID().slice(0, 20)}`
      const body = `${new URLSearchParams({ username, password: GOOD_PASSWORD }).toString()}&returnTo=${query}`
      replies.push(await ask(base, `${http.path}/register`, { method: 'POST', headers: form, body }))
      for (const page of ['/login', '/register', '/reauthenticate'])
        for (const headers of [{}, { cookie }])
          replies.push(await ask(base, `${http.path}${page}?returnTo=${query}`, { headers }))
      for (const reply of replies) {
        expect(reply.status).toBeLessThan(500)
        expect(destination(reply, base).origin).toBe(base)
        const hidden = /name="returnTo" value="([^"]*)"/.exec(reply.text)?.[1]
        if (hidden !== undefined) expect(new URL(hidden.replaceAll('&amp;', '&'), base).origin).toBe(base)
        expect(reply.text).not.toContain('"><img')
      }
      const api = await ask(base, `${http.path}/api/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'alice', password: GOOD_PASSWORD, returnTo: payload }),
      })
      expect(api.headers.location).toBeUndefined()
    },
  )
})

test('I-10 a guard of the host sends nobody away from the site, however the path is written', async () => {
  const targets = [
    '//evil.example/guarded',
    '/guarded//evil.example',
    '/guarded/..//evil.example',
    '/guarded?returnTo=//evil.example',
    '/guarded\\evil',
    '//guarded',
    'http://evil.example/guarded',
    'http://evil.example//guarded',
    'HTTP://evil.example:99999/guarded',
    '/guarded/%2e%2e/%2f/evil.example',
    '//evil.example/%2e%2e',
  ]
  for (const target of targets) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const came = await rawBytes(
        site.base,
        `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nReferer: http://evil.example//x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      )
      const location = /^location: (.*)\r$/im.exec(came)?.[1] ?? '/login'
      const page = new URL(location, site.base)
      expect([target, page.origin, page.pathname]).toEqual([target, site.base, '/login'])
      const back = page.searchParams.get('returnTo')
      if (back !== null) expect([target, new URL(back, site.base).origin]).toEqual([target, site.base])
    }
  }
})

test('I-10 whatever the text, what localPath lets through stays on the origin', () => {
  const piece = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        '/',
        '\\',
        '.',
        '..',
        '//',
        '/..',
        '%2e',
        '%2f',
        '%5c',
        '@',
        ':',
        '?',
        '#',
        ';',
        'http:',
        'https://',
        'javascript:',
        'evil.example',
        'localhost',
        '[::1]',
        '\t',
        '\n',
        '\r',
        ' ',
        '\u0000',
        '／',
        '＼',
        '。',
        '\u2028',
        '\u00a0',
        '\ufeff',
        '%',
        '%09',
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  )
  const text = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`)
  const pages = ['http://localhost:3000/login', 'https://app.example/members/login?returnTo=x', 'http://localhost:3000/a/b/c/']
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((path) => path.slice(1)),
        fc.webUrl(),
      ),
      (path) => {
        const local = localPath(path)
        if (local === undefined) return
        for (const page of pages) expect(new URL(local, page).origin).toBe(new URL(page).origin)
        // A second look changes nothing, and a header can carry it.
        expect(localPath(local)).toBe(local)
        expect(local).toMatch(/^\/(?!\/)[\x21-\x7e]*$/)
      },
    ),
    { numRuns: RUNS },
  )
})

test('I-11 only a GET leaves a path to come back to, and a long one is dropped', async () => {
  const opened = await ask(site.base, '/guarded/page?x=1', {})
  expect(opened.headers.location).toBe('/login?returnTo=%2Fguarded%2Fpage%3Fx%3D1')
  expect((await ask(site.base, '/guarded/form', { method: 'POST' })).headers.location).toBe('/login')
  for (const referer of [
    'http://evil.example/guarded',
    `${site.base}.evil.example/x`,
    'garbage',
    `${site.base}//evil.example`,
    `${site.base}/${'x'.repeat(10_000)}`,
  ])
    expect([referer, (await ask(site.base, '/guarded/form', { method: 'POST', headers: { referer } })).headers.location]).toEqual(
      [referer, '/login'],
    )
  const fromPage = await ask(site.base, '/guarded/form', { method: 'POST', headers: { referer: `${site.base}/guarded/page` } })
  expect(fromPage.headers.location).toBe('/login?returnTo=%2Fguarded%2Fpage')
  expect((await ask(site.base, `/guarded?${'x'.repeat(10_240)}`, {})).headers.location).toBe('/login')
})

test('I-08 no line break in an address, a field or a header splits the answer', async () => {
  const breaks = [
    '%0d%0aSet-Cookie:%20evil=1',
    '%0aSet-Cookie:evil=1',
    '%0dSet-Cookie:evil=1',
    '%E5%98%8A%E5%98%8DSet-Cookie:evil=1',
    '%u000aSet-Cookie:evil=1',
    '%23%0d%0aSet-Cookie:evil=1',
    '%c0%8aSet-Cookie:evil=1',
    '%e2%80%a8Set-Cookie:evil=1',
  ]
  const login = (value: string) => `username=alice&password=${encodeURIComponent(GOOD_PASSWORD)}&returnTo=/${value}`
  const isSplit = ({ headers, setCookies }: Reply) => setCookies.some((one) => one.startsWith('evil')) || 'evil' in headers
  for (const value of breaks) {
    const replies: Reply[] = []
    for (const { path } of routesOf(site)) {
      for (const query of [`returnTo=/${value}`, `notice=${value}`, value])
        replies.push(await ask(site.base, `${path}?${query}`, { headers: { accept: 'text/html' } }))
    }
    for (const path of [`/guarded/${value}`, `/${value}`, `/api/account/sessions/${value}/end`])
      replies.push(await ask(site.base, path, {}))
    for (const path of ['/login', '/register'])
      replies.push(
        await ask(site.base, path, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: login(value),
        }),
      )
    const headers = {
      'accept-language': value,
      origin: value,
      referer: `${site.base}/${value}`,
      cookie: `guildhall-language=${value}`,
    }
    replies.push(await ask(site.base, '/guarded', { method: 'POST', headers }))
    for (const reply of replies) {
      expect([value, reply.status < 500, isSplit(reply)]).toEqual([value, true, false])
      expect(String(reply.headers.location ?? '')).not.toMatch(/[\r\n]/)
    }
  }
})
