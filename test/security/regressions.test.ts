// What attacks on the finished product found. Each test failed before its fix.
import { createServer } from 'node:http'
import { connect } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import { createMembership, RefusalError } from 'guildhall'
import { MemoryStore, session } from 'guildhall/session'
import { describe, expect, test } from 'vitest'
import { pickLocale } from '../../src/i18n/pick-locale.ts'
import { ask, startServer } from '../support/server.ts'
import { listen, openSite, portOf } from '../support/site.ts'
import { GOOD_PASSWORD, rawGet, Visitor } from '../support/visitor.ts'

describe('the server', () => {
  test('N-02 a connection that is reset after CONNECT ends itself and nothing else', async () => {
    const server = await startServer()
    for (let delay = 0; delay < 6; delay++) {
      await new Promise<void>((done) => {
        const socket = connect(server.port, '127.0.0.1', () => {
          socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')
          setTimeout(() => socket.resetAndDestroy(), delay)
        })
        socket.on('error', () => {}).on('close', () => done())
      })
    }
    expect((await ask('/healthz', { port: server.port })).status).toBe(200)
    expect(server.output()).not.toContain('fatal')
  })

  test('I-06 a request target that nobody can read is refused by us, not answered past every check', async () => {
    const server = await startServer()
    const answer = await new Promise<string>((done) => {
      let text = ''
      const socket = connect(server.port, '127.0.0.1', () => socket.write('GET http://[/x HTTP/1.1\r\nHost: a\r\n\r\n'))
      socket.on('data', (data: Buffer) => (text += data.toString())).on('close', () => done(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).not.toContain('Cannot GET')
  })

  test('X-05 metrics are for this machine alone, also where a proxy on it says nothing of itself', async () => {
    const production = {
      NODE_ENV: 'production',
      BASE_URL: 'https://members.example.org',
      SECRET: 'a secret of thirty-two bytes or more',
    }
    const headers = { Host: 'members.example.org' }
    const plain = await startServer({ env: production })
    expect((await ask('/metrics', { port: plain.port, headers })).status).toBe(404)
    const proxied = await startServer({ env: { ...production, TRUST_PROXY: '1' } })
    expect((await ask('/metrics', { port: proxied.port, headers: { Host: 'localhost' } })).status).toBe(404)
  })
})

test('C-02 membership.user knows nobody behind an upgrade from another site', async () => {
  const site = await openSite()
  const visitor = site.visitor()
  await visitor.register('alice')
  const cookie = `guildhall=${await visitor.sessionId()}`
  const upgrade = { upgrade: 'websocket', connection: 'Upgrade', cookie }
  const who = async (headers: Record<string, string>) => {
    // An upgrade request as Node's server hands it over; only its headers are looked at.
    const { IncomingMessage } = await import('node:http')
    const { Socket } = await import('node:net')
    const req = new IncomingMessage(new Socket())
    Object.assign(req.headers, headers)
    return (await site.membership.user(req))?.username
  }
  expect(await who({ ...upgrade, origin: site.base })).toBe('alice')
  expect(await who({ ...upgrade, 'sec-fetch-site': 'same-origin' })).toBe('alice')
  expect(await who({ ...upgrade, origin: 'https://evil.example' })).toBeUndefined()
  expect(await who({ ...upgrade, 'sec-fetch-site': 'same-site', origin: 'http://evil.localhost' })).toBeUndefined()
  await site.close()
})

test('D-04 what one person kept in the session is not handed to the next who logs in with the same browser', async () => {
  const site = await openSite({
    session: { keepAtLogin: ['cart'] },
    routes: (app) => {
      app.get('/cart', (req, res) => {
        if (req.query.put !== undefined) Object.assign(req.session, { cart: req.query.put })
        res.json(Reflect.get(req.session, 'cart') ?? null)
      })
    },
  })
  const browser = site.visitor()
  await browser.get('/cart?put=anonymous')
  await browser.register('alice')
  expect((await browser.get('/cart')).json()).toBe('anonymous')
  await browser.get('/cart?put=private')
  await browser.register('bobby')
  expect((await browser.get('/cart')).json()).toBe(null)
  await site.close()
})

test('D-11 D-20 a logout ends every session that the request carries, however many cookies are planted before it', async () => {
  const site = await openSite()
  const visitor = site.visitor()
  await visitor.register('alice')
  const own = `guildhall=${await visitor.sessionId()}`
  const planted = Array.from({ length: 9 }, (_, n) => `guildhall=${String(n).repeat(43)}`)
  const answer = await visitor.send('/api/logout', { method: 'POST', headers: { cookie: [...planted, own].join('; ') } })
  expect(answer.status).toBe(204)
  expect((await rawGet(site.base, '/api/profile', own)).status).toBe(401)
  await site.close()
})

test('N-03 a member cannot push what happened off the security page, nor write without end', async () => {
  const site = await openSite({ rateLimit: true })
  const visitor = site.visitor()
  await visitor.register('carol')
  await visitor.logIn('carol', 'wrong, all wrong')
  const statuses = new Set<number>()
  for (let n = 0; n < 40; n++) statuses.add((await visitor.api('/profile', { displayName: `Carol ${n}` })).status)
  expect(statuses).toEqual(new Set([200, 429]))
  expect((await visitor.get('/account/security')).text).toContain('A wrong password was tried')
  await site.close()
})

test('I-07 a header full of languages costs no more than reading it', () => {
  const header = Array.from({ length: 100 }, (_, n) => `zh-${100 + n}`).join(',')
  const { maximize } = Intl.Locale.prototype
  let asked = 0
  Intl.Locale.prototype.maximize = function () {
    asked++
    return maximize.call(this)
  }
  pickLocale([undefined], header, 'en')
  Intl.Locale.prototype.maximize = maximize
  expect(asked).toBe(0)
  expect(pickLocale([], 'zh-Hant', 'en')).toBe('zh-TW')
  expect(pickLocale([], 'zh-CN, en;q=0.5', 'en')).toBe('en')
  expect(pickLocale([], 'fr, zh-CN', 'en')).toBe('zh-TW')
})

test('D-20 a logout by req.session = null that the store refused is not answered as done, however late it is seen', async () => {
  const store = new MemoryStore()
  const failing = Object.assign(Object.create(store), {
    create: store.create.bind(store),
    find: store.find.bind(store),
    delete: () => Promise.reject(new Error('the store is away')),
  })
  const app = express()
  app.use(session({ store: failing }))
  app.get('/in', (req, res) => {
    Object.assign(req.session, { there: true })
    res.send('in')
  })
  app.get('/out', async (req, res) => {
    Reflect.set(req, 'session', null)
    await new Promise((resolve) => setImmediate(resolve))
    res.send('bye')
  })
  const server = await listen(createServer(app))
  const visitor = new Visitor(`http://localhost:${portOf(server)}`)
  await visitor.get('/in')
  expect((await visitor.get('/out')).status).toBe(500)
  server.close()
})

test('a hook that refuses req.login reaches the host as 403 with its reason', async () => {
  const site = await openSite({
    hooks: {
      beforeSignIn() {
        throw new RefusalError('paused', 'Your membership is paused.')
      },
    },
    routes: (app, { membership }) => {
      app.post('/in', async (req, res) => {
        const user = await membership.users.find('anna')
        if (user) await req.login(user)
        res.send('never')
      })
      const tell: ErrorRequestHandler = (error, _req, res, _next) => {
        res.status(error.status).json({ code: error.code, reason: error.reason, text: error.message })
      }
      app.use(tell)
    },
  })
  await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD })
  const answer = await site.visitor().form('/in', {})
  expect([answer.status, answer.json()]).toEqual([403, { code: 'refused', reason: 'paused', text: 'Your membership is paused.' }])
  await site.close()
})

test('a try whose end cannot be counted does not undo what was done', async () => {
  const site = await openSite({ rateLimit: true })
  await site.membership.users.create({ username: 'anna', password: GOOD_PASSWORD })
  const { release } = site.core.throttle
  site.core.throttle.release = () => Promise.reject(new Error('the store is away'))
  const visitor = site.visitor()
  expect((await visitor.logIn('anna')).status).toBe(200)
  site.core.throttle.release = release
  expect((await visitor.api('/profile')).status).toBe(200)
  expect(site.logs.map(({ message }) => message)).toContain('the outcome of a try could not be counted')
  await site.close()
})

test('X-01 a public name that begins like a loopback address is production', () => {
  expect(() => createMembership({ baseUrl: 'http://127.example.org', database: 'sqlite::memory:' })).toThrow('secret is required')
})

test('accounts take no status and no limit that is none', async () => {
  const site = await openSite()
  const { users } = site.membership
  await users.create({ username: 'anna', password: GOOD_PASSWORD })
  await expect(Reflect.apply(users.setStatus, users, ['anna', 'gone'])).rejects.toThrow(
    "status must be active or suspended, got 'gone'",
  )
  await expect(users.list({ limit: -1 })).rejects.toThrow('limit must be a positive whole number')
  await site.close()
})
