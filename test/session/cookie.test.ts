// The session cookie as attackers and proxies send it, and as we write it.
import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import express from 'express'
import { MemoryStore, session } from 'guildhall/session'
import { describe, expect, test } from 'vitest'
import { digest, newToken } from '../../src/domain/secret.ts'
import { cookieReader } from '../../src/session/cookies/read.ts'
import { type CookieSettings, issueCookie } from '../../src/session/cookies/write.ts'
import { ADA, application, Browser, COOKIE, countingStore, namesOf, START, send, serve } from './support.ts'

const SIGNED: CookieSettings = { ...COOKIE, name: 'connect.sid', secrets: ['new secret', 'old secret'] }
const read = (header: string | undefined, cookie: CookieSettings = COOKIE) => cookieReader(cookie)(header).ids

/** As express-session 1.19 with cookie-signature writes it. */
function sign(id: string, secret: string): string {
  return `s:${id}.${createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')}`
}

async function who(options = {}) {
  return application((app, sessions) => {
    app.get('/login', async (req, res) => {
      await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
      res.end()
    })
    app.get('/', (req, res) => {
      const user = sessions.row(req)?.userId
      res.status(user ? 200 : 401).json(user ?? 'nobody')
    })
  }, options)
}

describe('the cookie that comes in', () => {
  const id = newToken()

  test('is found between others, with and without blanks', () => {
    for (const header of [`sid=${id}`, `a=1; sid=${id}; b=2`, `a=1;sid=${id}`, `a=1;\tsid=${id} \t;b`, `xsid=1; sid=${id}`]) {
      expect(read(header)).toEqual([id])
    }
  })

  test('is nothing else than 43 characters of base64url', () => {
    const wrong = [
      undefined,
      '',
      'sid',
      'sid=',
      `sid=${id}x`,
      `sid=${id.slice(1)}`,
      `sid="${id}"`,
      `sid=${id.slice(1)}+`,
      `sid=${id.slice(1)}é`,
    ]
    for (const header of [...wrong, `sid=${id}%20`, `sid= ${id}`, `sid=s:${id}`, `sid=${id},sid=${id}`])
      expect(read(header)).toEqual([])
  })

  test('D-11 of two cookies of our name the first that leads to a live session is used, in any order, and the store is asked no more than needed', async () => {
    const { store, calls } = countingStore()
    const { url } = await who({ store })
    const browser = new Browser(url)
    await browser.get('/login')
    const good = browser.cookie ?? ''
    const bad = `sid=${newToken()}`
    const junk = 'sid=junk'
    calls.length = 0
    expect((await send(url, { cookie: browser.header })).status).toBe(200)
    expect(calls).toEqual(['find'])
    for (const cookie of [
      `${bad}; ${good}`,
      `${good}; ${bad}`,
      `${junk}; ${good}`,
      `${good}; ${junk}`,
      `${bad}; ${junk}; ${bad}; ${good}`,
    ]) {
      const answer = await send(url, { cookie: `${cookie}; ${browser.marker}` })
      expect(answer.status).toBe(200)
      expect(answer.setCookies).toEqual([])
    }
    calls.length = 0
    const flood = Array.from({ length: 200 }, () => `sid=${newToken()}`).join('; ')
    expect((await send(url, { cookie: `${flood}; ${good}` })).status).toBe(401)
    expect(calls).toHaveLength(4)
  })

  test('D-11 a login ends every session that the request could lead to: a planted cookie cannot take its place', async () => {
    const { url } = await who()
    const planted = new Browser(url)
    await planted.get('/login')
    const own = new Browser(url)
    await own.get('/login')
    own.cookie = `${planted.cookie}; ${own.cookie}`
    await own.get('/login')
    expect((await send(url, { cookie: planted.cookie ?? '' })).status).toBe(401)
    expect((await send(url, { cookie: `${planted.cookie}; ${own.cookie}` })).status).toBe(200)
  })

  test('D-12 look-alike names are not ours', async () => {
    const cookie = { ...COOKIE, name: '__Host-sid', secure: true }
    const { url } = await who({ cookie })
    const browser = new Browser(url)
    await browser.get('/login')
    const value = browser.cookie?.slice('__Host-sid='.length) ?? ''
    expect((await send(url, { cookie: `__Host-sid=${value}` })).status).toBe(200)
    const names = [
      '__host-sid',
      '__HOST-SID',
      '%5F_Host-sid',
      '_%5fHost-sid',
      '"__Host-sid"',
      '__Host-sid ',
      'x__Host-sid',
      '.__Host-sid',
      '__Host_sid',
      '__Host-',
      'sid',
    ]
    const nonBreaking = ['\u00a0__Host-sid', '\u0085__Host-sid', '\u000b__Host-sid', '\u000c__Host-sid']
    for (const name of [...names, ...nonBreaking]) {
      expect(read(`${name}=${value}`, cookie)).toEqual([])
      expect(read(`a=1; ${name}=${value}`, cookie)).toEqual([])
    }
    for (const name of [...names, '\u00a0__Host-sid']) expect((await send(url, { cookie: `${name}=${value}` })).status).toBe(401)
    const old = [`$Version=1,__Host-sid=${value}`, `$Version="1"; __Host-sid="${value}"; $Path="/"`]
    for (const header of [...old, `__Host-sid="${value}"`, `a="; __Host-sid=${value}"`]) {
      expect((await send(url, { cookie: header })).status).toBe(401)
    }
  })

  test('D-13 a malformed header is nobody: no error, no session', async () => {
    const { url } = await who()
    const junk = [
      'sid=%',
      'sid=%E0%A4',
      `sid=${'x'.repeat(8000)}`,
      '=;=;',
      ';;;',
      '=',
      'sid==',
      `sid=${'='.repeat(43)}`,
      Array.from({ length: 200 }, (_, n) => `c${n}=${n}`).join('; '),
    ]
    for (const cookie of junk) expect((await send(url, { cookie })).status).toBe(401)
    for (const header of ['sid=\0', 'sid=\u{1F600}', '__proto__=1; sid', 'sid=s%3A', 'sid=s:.']) {
      expect(read(header)).toEqual([])
      expect(read(header.replace('sid', 'connect.sid'), SIGNED)).toEqual([])
    }
    const status = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nCookie: sid=\0\r\nConnection: close\r\n\r\n'),
      )
      socket.once('data', (data) => resolve(String(data).slice(9, 12)))
    })
    expect(['400', '401']).toContain(status)
  })
})

describe('a signed cookie', () => {
  const id = newToken()

  test('is the one that express-session writes, encoded or not, signed with any of the secrets', () => {
    for (const secret of ['new secret', 'old secret']) {
      expect(read(`connect.sid=${encodeURIComponent(sign(id, secret))}`, SIGNED)).toEqual([id])
      expect(read(`connect.sid=${sign(id, secret)}`, SIGNED)).toEqual([id])
    }
    expect(read(`connect.sid=${sign(id, 'other secret')}`, SIGNED)).toEqual([])
    expect(read(`connect.sid=${id}`, SIGNED)).toEqual([])
    for (let n = 0; n < 50; n++) {
      const token = newToken()
      const [pair = ''] = issueCookie(SIGNED, token, {
        attributes: SIGNED,
        secure: false,
        maxAgeMs: undefined,
        now: START,
      }).split(';')
      expect(pair).toBe(`connect.sid=${encodeURIComponent(sign(token, 'new secret'))}`)
      expect(read(pair, SIGNED)).toEqual([token])
    }
  })

  test('D-36 with any one byte changed is nobody', async () => {
    const app = express()
    app.use(session({ secret: 'keyboard cat', store: new MemoryStore() }))
    app.get('/in', (req, res) => {
      req.session.views = 1
      res.end()
    })
    app.get('/', (req, res) => {
      res.status(req.session.views ? 200 : 401).end()
    })
    const url = await serve(app)
    const browser = new Browser(url)
    await browser.get('/in')
    const good = browser.cookie ?? ''
    expect(good).toMatch(/^connect\.sid=s%3A/)
    expect((await send(url, { cookie: good })).status).toBe(200)
    for (let at = 'connect.sid='.length; at < good.length; at++) {
      const other = good[at] === 'A' ? 'B' : 'A'
      const tampered = good.slice(0, at) + other + good.slice(at + 1)
      expect((await send(url, { cookie: tampered })).status, tampered).toBe(401)
    }
    expect((await send(url, { cookie: good })).status).toBe(200)
  })
})

describe('the cookie that goes out', () => {
  test('D-08 D-09 is small, lives at most 400 days, and carries its attributes', () => {
    const cookie: CookieSettings = { ...COOKIE, name: '__Host-guildhall', secure: true, secrets: ['secret'] }
    const text = issueCookie(cookie, newToken(), {
      attributes: cookie,
      secure: true,
      maxAgeMs: Number.MAX_SAFE_INTEGER,
      now: START,
    })
    const [pair = '', ...attributes] = text.split('; ')
    const until = new Date(START + 34_560_000_000).toUTCString()
    expect(attributes).toEqual(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict', 'Max-Age=34560000', `Expires=${until}`])
    expect(Buffer.byteLength(pair)).toBeLessThan(256)
    expect(
      issueCookie(COOKIE, 'x', {
        attributes: { ...COOKIE, sameSite: false, httpOnly: false, domain: 'a.example' },
        now: START,
        secure: false,
        maxAgeMs: undefined,
      }),
    ).toBe('sid=x; Path=/; Domain=a.example')
  })

  test('is Secure as the request it answers, behind a proxy too', async () => {
    const { url, app } = await who()
    app.set('trust proxy', true)
    expect((await send(`${url}/login`)).setCookies[0]).not.toContain('Secure')
    expect((await send(`${url}/login`, { headers: { 'x-forwarded-proto': 'https' } })).setCookies[0]).toContain('; Secure')
  })

  test('outlives the browser for a persistent session, as long as that can live', async () => {
    const { url } = await application((app, sessions) => {
      app.get('/remember', async (req, res) => {
        await sessions.renew(req, {
          ...ADA,
          authenticatedAt: 1,
          persistent: true,
          limits: { idleMs: 60_000, absoluteMs: 86_400_000 },
        })
        res.json(req.session.cookie)
      })
    })
    const answer = await send(`${url}/remember`)
    expect(answer.setCookies[0]).toContain('; Max-Age=86400')
    expect(JSON.parse(answer.text)).toMatchObject({
      path: '/',
      httpOnly: true,
      originalMaxAge: 86_400_000,
      expires: new Date(START + 86_400_000).toISOString(),
    })
  })

  test('leaves the cookies of the host alone, however they were set', async () => {
    const { url } = await application((app) => {
      app.use((req, _res, next) => {
        req.session.views = 1
        next()
      })
      app.get('/set', (_req, res) => {
        res.cookie('a', '1').cookie('b', '2').end()
      })
      app.get('/head', (_req, res) => {
        res.setHeader('Set-Cookie', 'gone=1')
        res.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], 'x-own': 'yes' })
        res.end()
      })
      app.get('/one', (_req, res) => {
        res.writeHead(200, 'Fine', { 'Set-Cookie': 'a=1' }).end()
      })
      app.get('/flat', (_req, res) => {
        res.writeHead(200, ['Set-Cookie', 'a=1', 'X-Own', 'yes', 'Set-Cookie', 'b=2']).end()
      })
      app.get('/other', (_req, res) => {
        res.setHeader('Set-Cookie', 'a=1')
        res.writeHead(200, { 'x-own': 'yes' }).end()
      })
    })
    const names = async (path: string) => namesOf((await send(url + path)).setCookies)
    expect(await names('/set')).toEqual(['a', 'b', 'sid', 'sid-seen'])
    expect(await names('/head')).toEqual(['a', 'b', 'sid', 'sid-seen'])
    expect(await names('/one')).toEqual(['a', 'sid', 'sid-seen'])
    expect(await names('/flat')).toEqual(['a', 'b', 'sid', 'sid-seen'])
    expect(await names('/other')).toEqual(['a', 'sid', 'sid-seen'])
    expect((await send(`${url}/head`)).headers.get('x-own')).toBe('yes')
  })

  test('is an id of 256 bits that the store never sees', async () => {
    const { url, store } = await who()
    const browser = new Browser(url)
    await browser.get('/login')
    expect(browser.id).toMatch(/^[\w-]{43}$/)
    expect(await store.find(browser.id)).toBeUndefined()
    expect(await store.find(digest(browser.id))).toBeDefined()
  })
})
