// What visitors reach when an application stores their words in its session: nothing but their own session.
import { createHmac } from 'node:crypto'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import session, { Cookie, MemoryStore, type SessionOptions } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'
import { describe, expect, test } from 'vitest'
import { cookieReader } from '../../src/session/cookies/read.ts'
import { Session } from '../../src/session/request/session.ts'
import { heapInUse } from '../security/heap.ts'
import { expressSession } from '../support/express-session.ts'
import { application, Browser, COOKIE, HandClock, laterStore, MINUTE, send, serve } from './support.ts'

const SECRET = 'a secret of the application, long enough'
const DAY = 24 * 60 * MINUTE

async function open(options: SessionOptions, routes: (app: Express) => void): Promise<string> {
  const app = express()
  app.use(session({ warn: () => {}, ...options }))
  routes(app)
  app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error)
    res.status(500).json(error.message)
  })
  return serve(app)
}

/** A cookie as cookie-parser and express-session sign it. */
function signed(text: string): string {
  const signature = createHmac('sha256', SECRET).update(text).digest('base64').replace(/=+$/, '')
  return `connect.sid=${encodeURIComponent(`s:${text}.${signature}`)}`
}

describe('D-30 a visitor who chooses names in the session', () => {
  test('reaches no prototype through an atomic change', async () => {
    const { url } = await application((app) => {
      app.get('/:name', async (req, res) => {
        await req.session.update((data) => {
          const { name } = req.params
          if (Reflect.get(data, name) === undefined) Reflect.set(data, name, {})
          Reflect.get(data, name).polluted = 'yes'
        })
        res.json(req.session)
      })
    })
    const browser = new Browser(url)
    expect((await browser.get('/__proto__')).text).toBe('{"__proto__":{"polluted":"yes"}}')
    expect((await browser.get('/constructor')).text).toBe('{"__proto__":{"polluted":"yes"},"constructor":{"polluted":"yes"}}')
    expect([Reflect.get({}, 'polluted'), Reflect.get(Object, 'polluted')]).toEqual([undefined, undefined])
  })

  test('changes nothing of the class that serves everybody', async () => {
    const { url } = await application((app) => {
      app.get('/', (req, res) => {
        Reflect.get(req.session, 'constructor').rowOf = 'stolen'
        res.end()
      })
    })
    expect((await send(url)).status).toBe(500)
    expect(typeof Reflect.get(Session, 'rowOf')).toBe('function')
  })
})

describe('a visitor whose words get into req.session.cookie', () => {
  const hostile = ['/; Domain=evil.example', '/\r\nSet-Cookie: x=y', '/☃', '/\0']

  test.each(['path', 'domain', 'sameSite', 'priority'])(
    'as its %s gets an error page, and no attribute or header of their own',
    async (field) => {
      const url = await open({ store: laterStore(new MemoryStore()) }, (app) => {
        app.get('/', (req, res) => {
          req.session.views = 1
          Reflect.set(req.session.cookie, field, req.query.word)
          res.end('fine')
        })
      })
      for (const word of hostile) {
        const answer = await send(`${url}/?word=${encodeURIComponent(word)}`)
        expect([answer.status, answer.setCookies, answer.text.includes(`cookie.${field}`)]).toEqual([500, [], true])
      }
    },
  )

  test('through an encode of the application gets an error page', async () => {
    const url = await open({ cookie: { encode: (value) => `${value}; Domain=evil.example` } }, (app) => {
      app.get('/', (req, res) => {
        req.session.views = 1
        res.end('fine')
      })
    })
    const answer = await send(url)
    expect([answer.status, answer.setCookies]).toEqual([500, []])
  })

  test('as its maxAge stays for 400 days at most, and no time that is none is taken', async () => {
    const clock = new HandClock()
    const store = new MemoryStore({ clock })
    const url = await open({ clock, store }, (app) => {
      app.get('/set/:field/:ms', (req, res) => {
        req.session.views = 1
        const { field, ms } = req.params
        const value = field === 'expires' ? new Date(clock.now() + Number(ms)) : Number(ms)
        Reflect.set(req.session.cookie, field, value)
        res.end('fine')
      })
      app.get('/again', (req, res) => {
        res.json(req.session.views ?? null)
      })
    })
    for (const path of ['/set/maxAge/NaN', '/set/expires/NaN', '/set/expires/1e300', '/set/originalMaxAge/NaN']) {
      expect([path, (await send(url + path)).status]).toEqual([path, 500])
    }
    for (const path of ['/set/maxAge/1e300', '/set/expires/6e15', '/set/originalMaxAge/1e300']) {
      const before = clock.now()
      const browser = new Browser(url)
      await browser.get(path)
      clock.forward(399 * DAY)
      expect([path, (await browser.get('/again')).text]).toEqual([path, '1'])
      clock.forward(2 * DAY)
      expect([path, (await browser.get('/again')).text]).toEqual([path, 'null'])
      clock.time = before
    }
    expect(store.list(clock.now() + 401 * DAY, 10)).toEqual([])
  })

  test('as a fraction of a millisecond is stored like anybody else', async () => {
    const url = await open({ store: new SqliteStore({ path: ':memory:' }), cookie: { maxAge: DAY / 7 } }, (app) => {
      app.get('/', (req, res) => {
        req.session.views = (req.session.views ?? 0) + 1
        req.session.cookie.maxAge = DAY / 7
        res.json(req.session.views)
      })
    })
    const browser = new Browser(url)
    expect((await browser.get('/')).text).toBe('1')
    expect((await browser.get('/')).text).toBe('2')
  })
})

test('a stored cookie gives the cookie its fields and nothing else', () => {
  const stored: unknown = JSON.parse('{"path":"/x","__proto__":{"evil":1},"toJSON":1,"attributes":1,"own":1}')
  const cookie = new Cookie(stored as ConstructorParameters<typeof Cookie>[0])
  expect(Object.getPrototypeOf(cookie)).toBe(Cookie.prototype)
  expect(cookie.serialize('sid', 'x')).toBe('sid=x; Path=/x; HttpOnly')
  expect(Object.hasOwn(cookie, 'own')).toBe(false)
})

test('a visitor with a text that the application signed for something else reaches no file by it', async () => {
  const asked: string[] = []
  const store = new expressSession.MemoryStore()
  const { get, destroy } = store
  store.get = (id, callback) => {
    asked.push(id)
    return Reflect.apply(get, store, [id, callback])
  }
  store.destroy = (id, callback) => {
    asked.push(id)
    return Reflect.apply(destroy, store, [id, callback])
  }
  const url = await open({ secret: SECRET, store }, (app) => {
    app.get('/', async (req, res) => {
      await req.session.destroy()
      res.end()
    })
  })
  for (const text of ['../users', 'a/../../b', 'a\0', 'a\nb', 'a b', 'a\\b', '..']) {
    expect((await send(url, { cookie: signed(text) })).status).toBe(200)
  }
  expect(asked).toEqual([])
  await send(url, { cookie: signed('Zm9v+/Zm9v==') })
  expect(asked).toEqual(['Zm9v+/Zm9v==', 'Zm9v+/Zm9v=='])
})

test('a visitor who sends long headers, each with the cookie written otherwise, leaves none of them in memory', async () => {
  const read = cookieReader({ ...COOKIE, secrets: [SECRET] })
  const id = 'a'.repeat(43)
  const [, value = ''] = signed(id).split('=')
  const before = heapInUse()
  for (let n = 0; n < 2000; n++) {
    const written = [...id].map((letter, at) => ((n >> at) & 1 && at < 12 ? '%61' : letter)).join('')
    const header = Buffer.from(`sid=${value.replace(id, written)}; junk=${'x'.repeat(10_000)}`).toString()
    expect(read(header).ids).toEqual([id])
  }
  expect(heapInUse() - before).toBeLessThan(4_000_000)
})
