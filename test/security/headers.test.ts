// 1.W: the headers of every answer, whatever it says: pages, JSON, redirects, refusals, failures.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSite, type Site } from '../support/site.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { bodyFor, routesOf, writesOf } from './site-map.ts'
import { ask, type Reply } from './wire.ts'

describe.each(['', '/members'])('pages below "%s"', (path) => {
  let site: Site
  /** Every answer of a crawl over all routes, with what was asked. */
  const answers: { readonly asked: string; readonly reply: Reply }[] = []

  beforeAll(async () => {
    site = await openSite({
      path,
      routes: (app, { membership }) => {
        app.get('/guarded', membership.requireLogin, (_req, res) => void res.send('inside'))
        app.get('/guests', membership.requireGuest, (_req, res) => void res.send('outside'))
        app.get('/vault', membership.requireMember({ role: 'admin' }), (_req, res) => void res.send('gold'))
        app.get('/fresh', membership.requireMember({ within: '1s' }), (_req, res) => void res.send('recent'))
      },
    })
    const { cookie } = await logIn()
    await crawl(cookie)
    await crawlPastFailures((await logIn()).cookie)
  })
  afterAll(() => site.close())

  const api = (action: string) => `${path}/api${action}`

  async function logIn(): Promise<{ cookie: string }> {
    if (!(await site.membership.users.find('alice')))
      await site.membership.users.create({ username: 'alice', password: GOOD_PASSWORD })
    const { type, body } = bodyFor('api', { username: 'alice', password: GOOD_PASSWORD })
    const reply = await note(api('/login'), { method: 'POST', headers: { 'content-type': type }, body })
    return { cookie: reply.setCookies[0]?.split(';')[0] ?? '' }
  }

  async function note(target: string, call: Parameters<typeof ask>[2], what = ''): Promise<Reply> {
    const reply = await ask(site.base, target, call)
    answers.push({ asked: `${call?.method ?? 'GET'} ${target} ${what}`, reply })
    return reply
  }

  async function crawl(cookie: string) {
    for (const { path: target } of routesOf(site))
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'TRACE'])
        for (const headers of [{ accept: 'text/html' }, { accept: 'text/html', cookie }, { accept: 'application/json' }])
          await note(target, { method, headers })
    for (const { path: target, endpoint, input } of writesOf(site)) {
      const { type, body } = bodyFor(endpoint, input)
      const evil = { 'content-type': type, 'sec-fetch-site': 'cross-site', cookie }
      await note(target, { method: 'POST', headers: evil, body }, 'from elsewhere')
      await note(target, { method: 'POST', headers: { 'content-type': 'text/xml' }, body }, 'as XML')
      await note(target, { method: 'POST', headers: { 'content-type': type }, body: 'x'.repeat(20_000) }, 'too large')
      await note(target, { method: 'POST', headers: { 'content-type': type }, body: '%' }, 'malformed')
      await note(target, { method: 'POST', headers: { 'content-type': type }, body: bodyFor(endpoint, {}).body }, 'empty')
      await note(target, { method: 'POST', headers: { 'content-type': type, cookie }, body }, 'as Alice')
      await note(target, { method: 'POST', headers: { 'content-type': type }, body }, 'as nobody')
    }
    const arrival = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      accept: 'text/html',
    }
    for (const target of [`${path}/profile`, '/guarded']) await note(target, { headers: arrival }, 'from a link')
    const again = (await logIn()).cookie
    for (const target of ['/guarded', '/vault', '/fresh', '/guests'])
      for (const accept of ['text/html', 'application/json'])
        for (const headers of [{ accept }, { accept, cookie: again }]) {
          const reply = await ask(site.base, target, { headers })
          // What a guard lets through is the host's own answer.
          if (reply.status !== 200) answers.push({ asked: `GET ${target} as ${accept}`, reply })
        }
  }

  async function crawlPastFailures(cookie: string) {
    const { db } = site.core
    for (const [name, work] of Object.entries({ first: db.first, write: db.write, all: db.all })) {
      Object.assign(db, { [name]: () => { throw new Error('secret inside') } }) // biome-ignore format: one fault in one line
      for (const { path: target, endpoint, input } of routesOf(site)) {
        const { type, body } = bodyFor(endpoint, input ?? {})
        const headers = { cookie, accept: endpoint === 'api' ? 'application/json' : 'text/html' }
        await note(target, { headers }, `without ${name}`)
        if (input && !target.endsWith('/logout'))
          await note(target, { method: 'POST', headers: { ...headers, 'content-type': type }, body }, `without ${name}`)
      }
      Object.assign(db, { [name]: work })
    }
  }

  const isHtml = ({ headers }: Reply) => String(headers['content-type']).startsWith('text/html')

  /** Names the answers for which something does not hold. */
  const failing = (holds: (reply: Reply) => boolean) =>
    answers.filter(({ reply }) => !holds(reply)).map(({ asked, reply }) => `${asked}: ${reply.status}`)

  test('the crawl met every kind of answer', () => {
    const statuses = new Set(answers.map(({ reply }) => reply.status))
    expect([...statuses]).toEqual(expect.arrayContaining([200, 204, 303, 400, 401, 403, 404, 405, 409, 413, 415, 422, 500]))
    expect(answers.filter(({ reply }) => isHtml(reply) && reply.status === 500).length).toBeGreaterThan(3)
    expect(answers.filter(({ reply }) => isHtml(reply) && reply.status === 405).length).toBeGreaterThan(3)
  })

  test('W-01 nothing of it is stored', () => {
    expect(failing(({ headers }) => headers['cache-control'] === 'no-store')).toEqual([])
  })

  test('W-02 every answer says that it depends on the cookie, and one that sets a cookie is not stored', () => {
    expect(failing(({ headers }) => /\bCookie\b/.test(String(headers.vary)))).toEqual([])
    expect(failing(({ setCookies, headers }) => setCookies.length === 0 || headers['cache-control'] === 'no-store')).toEqual([])
    expect(answers.some(({ reply }) => reply.setCookies.length > 0)).toBe(true)
  })

  test('W-03 the content security policy begins with nothing, on every answer', () => {
    const needed = ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]
    expect(failing(({ headers }) => {
      const directives = String(headers['content-security-policy']).split(';').map((one) => one.trim())
      const loose = /unsafe|\*|data:|blob:|https?:|nonce/.test(directives.join(' '))
      return needed.every((one) => directives.includes(one)) && !loose
    })).toEqual([]) // biome-ignore format: one question
  })

  test('W-03 no page has a script, a style or a handler in its text', () => {
    const inline = /<script(?![^>]*\ssrc=)|<style|\son[a-z]+\s*=|\sstyle\s*=|javascript:|<base|<iframe|<object|<embed/i
    expect(failing((reply) => !isHtml(reply) || !inline.test(reply.text))).toEqual([])
    const foreign = /(?:src|href|action)="(?:https?:)?\/\//i
    expect(failing((reply) => !isHtml(reply) || !foreign.test(reply.text))).toEqual([])
  })

  test('W-04 framing is refused, for old browsers too', () => {
    expect(failing(({ headers }) => headers['x-frame-options'] === 'DENY')).toEqual([])
  })

  test('W-05 nothing is sniffed, and every body says what it is', () => {
    expect(failing(({ headers }) => headers['x-content-type-options'] === 'nosniff')).toEqual([])
    const known = ['text/html; charset=utf-8', 'application/json; charset=utf-8', 'application/problem+json; charset=utf-8']
    expect(failing(({ text, headers }) => text === '' || known.includes(String(headers['content-type'])))).toEqual([])
    expect(
      failing(
        ({ text, headers }) => text !== '' || headers['content-type'] === undefined || Number(headers['content-length']) > 0,
      ),
    ).toEqual([])
  })

  test('W-07 other sites learn nothing of the address, and cannot hold a window or embed an answer', () => {
    const policy = {
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    }
    // The page that a mailed link leads to is even more silent.
    for (const [name, value] of Object.entries(policy))
      expect([name, failing(({ headers }) => headers[name] === value || headers[name] === 'no-referrer')]).toEqual([name, []])
  })

  test('W-08 no answer names a program or a version', () => {
    expect(
      failing(
        ({ headers }) => headers['x-powered-by'] === undefined && headers.server === undefined && headers.via === undefined,
      ),
    ).toEqual([])
    expect(failing(({ text }) => !/express|node\.?js|\bv?\d+\.\d+\.\d+\b/i.test(text.replaceAll('127.0.0.1', '')))).toEqual([])
  })

  test('W-09 the JSON is no script: a callback is ignored, and the answer is an object', async () => {
    const { cookie } = await logIn()
    for (const query of ['?callback=alert', '?jsonp=alert', '?cb=alert&format=jsonp']) {
      const reply = await ask(site.base, api('/profile') + query, { headers: { cookie, accept: 'text/javascript, */*' } })
      expect([query, reply.text[0], reply.text.includes('alert')]).toEqual([query, '{', false])
      expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
    }
  })

  test('W-01 the style sheet, the script and the icon may be kept for ever, and are guarded like the rest', async () => {
    const page = await ask(site.base, `${path}/login`, { headers: { accept: 'text/html' } })
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]*\/assets\/[^"]+)"/g)].map(([, asset]) => String(asset))
    expect(assets).toHaveLength(3)
    for (const asset of assets) {
      const { headers, status, setCookies } = await ask(site.base, asset, {})
      expect([status, headers['cache-control'], setCookies]).toEqual([200, 'public, max-age=31536000, immutable', []])
      expect([headers['x-content-type-options'], headers['x-powered-by']]).toEqual(['nosniff', undefined])
      const refused = await ask(site.base, asset, { method: 'POST' })
      expect([refused.status, refused.headers['cache-control']]).toEqual([405, 'no-store'])
    }
    const stale = await ask(site.base, `${path}/assets/style.000000000000.css`, {})
    expect([stale.status, stale.headers['cache-control']]).toEqual([404, undefined])
  })
})
