// Stores written for express-session, and what of express-session our own stores offer.

import express, { type Express } from 'express'
import session, { fromExpressStore, MemoryStore, type SessionOptions, Store, type StoredSession } from 'guildhall/session'
import { describe, expect, test } from 'vitest'
import { KeyedMutex } from '../../src/domain/serial-queue.ts'
import { expressSession } from '../support/express-session.ts'
import { Browser, HandClock, MINUTE, START, send, serve } from './support.ts'

type RequestStore = Express.Request['sessionStore']

const SECRET = 'a secret of the application, long enough'

async function open(options: SessionOptions, routes: (app: Express) => void): Promise<string> {
  const app = express()
  app.set('env', 'test')
  const middleware = session({ warn: () => {}, secret: SECRET, ...options })
  app.use(middleware)
  routes(app)
  return serve(app)
}

function counting(app: Express): void {
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json(req.session.views)
  })
  app.get('/out', async (req, res) => {
    await req.session.destroy()
    res.end()
  })
}

describe('a store of express-session', () => {
  test('serves as it is: sessions live, change and end', async () => {
    const url = await open({ store: new expressSession.MemoryStore() }, counting)
    const browser = new Browser(url)
    expect((await browser.get('/')).text).toBe('1')
    expect((await browser.get('/')).text).toBe('2')
    const old = browser.cookie ?? ''
    await browser.get('/out')
    expect((await send(url, { cookie: old })).text).toBe('1')
  })

  test('takes over who is logged in with express-session, and gives them back', async () => {
    const store = new expressSession.MemoryStore()
    const before = express()
    before.use(expressSession({ secret: SECRET, store, resave: false, saveUninitialized: false }))
    counting(before)
    const urlBefore = await serve(before)
    const url = await open({ store }, counting)
    const browser = new Browser(urlBefore)
    await browser.get('/')
    expect((await send(url, { cookie: browser.cookie ?? '' })).text).toBe('2')
    expect((await browser.get('/')).text).toBe('3')
    expect((await send(url, { cookie: browser.cookie ?? '' })).text).toBe('4')
  })

  test('somebody whose row holds what JSON cannot say stays logged in, with what JSON makes of it', async () => {
    const rows = new Map<string, StoredSession>()
    // A store that hands out what it was given, as those of document databases do.
    const store = {
      get: (id: string, done: (error?: unknown, found?: StoredSession | null) => void) => done(null, rows.get(id) ?? null),
      set: (id: string, stored: StoredSession, done?: () => void) => {
        rows.set(id, stored)
        done?.()
      },
      destroy: (id: string, done?: () => void) => {
        rows.delete(id)
        done?.()
      },
    }
    const url = await open({ store }, (app) => {
      counting(app)
      app.get('/cart', (req, res) => void res.json(req.session.cart))
    })
    const browser = new Browser(url)
    await browser.get('/')
    for (const stored of rows.values()) Object.assign(stored, { cart: [new Map([['a', 1]]), Number.NaN] })
    expect((await browser.get('/cart')).text).toBe('[{},null]')
    expect((await browser.get('/')).text).toBe('2')
  })

  test('D-15 keeps hashes where it is told to', async () => {
    const store = new expressSession.MemoryStore()
    const url = await open({ store: fromExpressStore(store, { ids: 'hashed' }) }, counting)
    const browser = new Browser(url)
    await browser.get('/')
    const id = decodeURIComponent(browser.id).slice(2).split('.')[0] ?? ''
    const kept = Object.keys(Reflect.get(store, 'sessions'))
    expect(kept).toHaveLength(1)
    expect(kept).not.toContain(id)
    expect((await browser.get('/')).text).toBe('2')
  })

  test('D-22 D-23 in one process keeps every key, and brings nothing back', async () => {
    const url = await open({ store: new expressSession.MemoryStore() }, (app) => {
      counting(app)
      app.get('/set/:key', async (req, res) => {
        Reflect.set(req.session, req.params.key, 1)
        await new Promise(setImmediate)
        res.end()
      })
      app.get('/keys', (req, res) => {
        res.json(Object.keys(req.session).length)
      })
    })
    const browser = new Browser(url)
    await browser.get('/')
    await Promise.all(Array.from({ length: 50 }, (_, n) => browser.get(`/set/k${n}`)))
    expect((await browser.get('/keys')).text).toBe('51')
    const old = browser.cookie ?? ''
    await Promise.all([browser.get('/set/a'), browser.get('/out'), browser.get('/set/b'), browser.get('/set/c')])
    expect((await send(`${url}/keys`, { cookie: old })).text).toBe('0')
  })

  test('that is disconnected is an error with 503 for who has a cookie, never an anonymous visit', async () => {
    const store = new expressSession.MemoryStore()
    const url = await open({ store }, counting)
    const browser = new Browser(url)
    await browser.get('/')
    store.emit('disconnect')
    expect((await browser.get('/')).status).toBe(503)
    store.emit('connect')
    expect((await browser.get('/')).text).toBe('2')
  })

  test('gets back what it put on the session that it handed out, as it was: a person who comes again stays logged in', async () => {
    // As connect-mongo with `touchAfter`: a Date that its touch reads; and things of which JSON holds nothing.
    const rows = new Map<string, string>()
    const seen: string[] = []
    const connection = { query: () => {} }
    class DatedStore extends Store {
      override get(id: string, callback: (error?: unknown, session?: Record<string, unknown> | null) => void): void {
        const text = rows.get(id)
        const found = text === undefined ? null : { ...JSON.parse(text), lastModified: new Date(START), connection, retry() {} }
        callback(null, found)
      }
      override set(id: string, found: Record<string, unknown>, callback?: () => void): void {
        if (rows.has(id)) seen.push(`set ${kinds(found)}`)
        const { lastModified: _, connection: __, retry: ___, ...data } = found
        rows.set(id, JSON.stringify(data))
        callback?.()
      }
      override touch(_id: string, found: Record<string, unknown>, callback?: (error?: unknown) => void): void {
        seen.push(`touch ${kinds(found)}`)
        callback?.()
      }
      override destroy(id: string, callback?: () => void): void {
        rows.delete(id)
        callback?.()
      }
    }
    const kinds = (found: Record<string, unknown>) =>
      `${found.lastModified instanceof Date} ${found.connection === connection} ${typeof found.retry}`
    const clock = new HandClock()
    const url = await open({ store: new DatedStore(), clock }, (app) => {
      counting(app)
      app.get('/look', (req, res) => res.json(req.session.views))
    })
    const browser = new Browser(url)
    await browser.get('/')
    await browser.get('/')
    clock.forward(5 * MINUTE)
    expect((await browser.get('/look')).text).toBe('2')
    expect(new Set(seen)).toEqual(new Set(['set true true function', 'touch true true function']))
  })

  test('is refused where it has no get, set and destroy, and where ids is not said', () => {
    // @ts-expect-error -- No store.
    expect(() => fromExpressStore({}, { ids: 'plain' })).toThrow('get, set and destroy')
    // @ts-expect-error -- No such kind.
    expect(() => fromExpressStore(new expressSession.MemoryStore(), { ids: 'some' })).toThrow("'plain' or 'hashed'")
  })
})

describe('the cookie of one session', () => {
  test('is remembered for as long as it says, and no longer', async () => {
    const clock = new HandClock()
    const store = new MemoryStore({ clock })
    const url = await open({ store, clock }, (app) => {
      counting(app)
      app.get('/remember', (req, res) => {
        req.session.cookie.maxAge = 30 * 86_400_000
        req.session.views = 10
        res.json([req.session.cookie.maxAge, req.session.cookie.originalMaxAge])
      })
      app.get('/forget', (req, res) => {
        req.session.cookie.expires = false
        res.end()
      })
      app.get('/look', (req, res) => {
        res.json([req.session.views ?? null, req.session.cookie.maxAge])
      })
    })
    const browser = new Browser(url)
    await browser.get('/')
    const answer = await browser.get('/remember')
    expect(answer.setCookies[0]).toContain(`; Max-Age=2592000; Expires=${new Date(START + 2_592_000_000).toUTCString()}`)
    clock.forward(29 * 86_400_000)
    expect((await browser.get('/look')).text).toBe(`[10,${86_400_000}]`)
    expect((await browser.get('/forget')).setCookies[0]).not.toContain('Max-Age')
    clock.forward(17 * 60_000)
    expect((await browser.get('/look')).text).toBe('[null,null]')
  })

  test('an `idleTimeout` that is given ends a session whose cookie stays longer, also after code has read that cookie', async () => {
    for (const makeStore of [() => new MemoryStore(), () => new expressSession.MemoryStore()]) {
      const clock = new HandClock()
      const store = makeStore()
      const options: SessionOptions = { store, clock, cookie: { maxAge: '30d' }, idleTimeout: '15m', absoluteTimeout: '30d' }
      const url = await open(options, (app) => {
        counting(app)
        app.get('/looked', (req, res) => {
          req.session.views = 1
          res.json(req.session.cookie.maxAge)
        })
        app.get('/idle', (req, res) => {
          req.sessionStore.get(req.sessionID, (_error, found) => res.json(found?.__guildhall ?? found?.cookie))
        })
      })
      const browser = new Browser(url)
      const answer = await browser.get('/looked')
      expect(answer.setCookies[0]).toContain('; Max-Age=2592000;')
      if (store instanceof MemoryStore) {
        clock.forward(17 * 60_000)
        expect((await browser.get('/')).text).toBe('1')
      } else expect(JSON.parse((await browser.get('/idle')).text)).toMatchObject({ idleMs: 900_000 })
    }
  })

  test('a session that was stored lives as long as `maxAge` says', async () => {
    const clock = new HandClock()
    const url = await open({ store: new MemoryStore({ clock }), clock, cookie: { maxAge: 3_600_000 } }, counting)
    const browser = new Browser(url)
    expect((await browser.get('/')).setCookies[0]).toContain('; Max-Age=3600;')
    clock.forward(59 * 60_000)
    expect((await browser.get('/')).setCookies[0]).toContain('; Max-Age=3600;')
    clock.forward(59 * 60_000)
    expect((await browser.get('/')).text).toBe('3')
    clock.forward(65 * 60_000)
    expect((await browser.get('/')).text).toBe('1')
  })
})

describe('req.sessionStore', () => {
  test('finds, changes, counts, lists and ends sessions by their ids', async () => {
    const url = await open({ store: new MemoryStore() }, (app) => {
      counting(app)
      app.get('/id', (req, res) => {
        res.json(req.sessionID)
      })
      app.get('/of/:id', (req, res, next) => {
        req.sessionStore.get(req.params.id, (error, found) => (error ? next(error) : res.json(found)))
      })
      app.get('/set/:id', (req, res, next) => {
        req.sessionStore.get(req.params.id, (_, found) => {
          if (!found) return res.json(null)
          req.sessionStore.set(req.params.id, { cookie: found.cookie, cart: [1] }, (error) =>
            error ? next(error) : res.json('set'),
          )
        })
      })
      app.get('/make/:id', (req, res) => {
        req.sessionStore.set(req.params.id, { cookie: {} }, (error) => res.json(error instanceof Error))
      })
      app.get('/all', (req, res, next) => {
        req.sessionStore.all?.((error, all) => (error ? next(error) : res.json(all)))
      })
      app.get('/load/:id', (req, res, next) => {
        req.sessionStore.load(req.params.id, (error, found) =>
          error ? next(error) : res.json([found instanceof session.Session, found?.id]),
        )
      })
      app.get('/destroy/:id', (req, res, next) => {
        req.sessionStore.destroy(req.params.id, (error) => (error ? next(error) : res.end()))
      })
    })
    const browser = new Browser(url)
    await browser.get('/')
    const id: string = JSON.parse((await browser.get('/id')).text)
    expect(JSON.parse((await send(`${url}/of/${id}`)).text)).toMatchObject({ views: 1, cookie: { path: '/' } })
    expect((await send(`${url}/set/${id}`)).text).toBe('"set"')
    expect(JSON.parse((await send(`${url}/all`)).text)).toMatchObject([{ cart: [1] }])
    expect(JSON.parse((await send(`${url}/load/${id}`)).text)).toEqual([true, id])
    expect((await send(`${url}/make/unknown`)).text).toBe('true')
    await send(`${url}/destroy/${id}`)
    expect((await send(`${url}/of/${id}`)).text).toBe('null')
    expect((await browser.get('/')).text).toBe('1')
  })

  test('is a store that others can inherit from, by class or by call', () => {
    function OldStore(this: object): void {
      Store.call(this)
    }
    OldStore.prototype = Object.create(Store.prototype)
    const old = Reflect.construct(OldStore, [])
    class NewStore extends Store {}
    for (const store of [old, new NewStore()]) {
      let received = 0
      store.on('connect', () => received++)
      store.emit('connect')
      expect([received, store instanceof Store]).toEqual([1, true])
    }
    expect([session.Store, session.MemoryStore]).toEqual([Store, MemoryStore])
  })
})

test('one store serves the visitors of two applications, each in its own', async () => {
  const store = new expressSession.MemoryStore()
  for (const name of ['one', 'two']) {
    const url = await open({ store, name }, (app) => {
      app.get('/', (req, res) => {
        req.session.cart = name
        req.sessionStore.generate(req)
        req.session.views = 1
        res.json(req.session)
      })
    })
    expect((await send(url)).text).toBe('{"views":1}')
  }
})

test('a person is logged out although an earlier write of theirs was never answered', async () => {
  const mutex = new KeyedMutex(5)
  void mutex.take('ada', () => new Promise(() => {}))
  const order: string[] = []
  await Promise.all(['logout', 'login'].map((verb) => mutex.take('ada', async () => void order.push(verb))))
  expect(order).toEqual(['logout', 'login'])
})

test('a session that has expired is not touched back to life through req.sessionStore', async () => {
  const clock = new HandClock()
  let ask: (work: (store: RequestStore, id: string) => void) => void = () => {}
  const url = await open({ clock, store: new MemoryStore({ clock }) }, (app) => {
    counting(app)
    app.get('/socket', (req, res) => {
      const { sessionStore, sessionID } = req
      ask = (work) => work(sessionStore, sessionID)
      res.end()
    })
  })
  const browser = new Browser(url)
  await browser.get('/')
  await browser.get('/socket')
  clock.forward(17 * MINUTE)
  await new Promise<void>((resolve) => ask((store, id) => store.touch?.(id, { cookie: {} }, () => resolve())))
  const refused = await new Promise((resolve) => ask((store, id) => store.set?.(id, { cookie: {}, views: 7 }, resolve)))
  expect(refused).toBeInstanceOf(Error)
  expect((await browser.get('/')).text).toBe('1')
})
