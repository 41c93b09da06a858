// The contract between the middleware and a store: errors, events, and stores that inherit from Store.
import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { type AnyCookie, type AnyStore, forEachImplementation, type Row } from '../implementations.ts'
import {
  called,
  count,
  HOUR,
  handClock,
  handle,
  homeMade,
  MINUTE,
  middlewareOf,
  open,
  openApp,
  START,
  writeAtWrite,
} from '../support.ts'

const FIRE = new Error('the store is on fire')

forEachImplementation('errors of a store', (implementation) => {
  const opened = async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store, cookie: { maxAge: HOUR } }, writeAtWrite)
    const visitor = place.visitor()
    await visitor.get('/write')
    return { store, place, visitor }
  }

  test('a store that fails to read is an error for the error handler, and nobody counts as logged out', async () => {
    const { store, place, visitor } = await opened()
    store.errors.get = FIRE
    const { status, lines } = await visitor.get('/write')
    expect([status, lines]).toEqual([500, []])
    expect(String(await place.error)).toContain(FIRE.message)
    delete store.errors.get
    expect((await visitor.get()).text).toBe('1')
  })

  test('a store that fails with the code ENOENT has no such session', async () => {
    const { store, place, visitor } = await opened()
    store.errors.get = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    const { status, text } = await visitor.get('/write')
    expect([status, text, place.errors]).toEqual([200, '1', []])
  })

  test('a store that fails to write is an error for the error handler', async () => {
    const { store, place, visitor } = await opened()
    store.errors.set = FIRE
    await visitor.get('/write')
    expect(String(await place.error)).toContain(FIRE.message)
  })

  test('a store that fails to touch is an error for the error handler, in ours the visitor is served all the same', async () => {
    const clock = handClock()
    const { store, place, visitor } = await opened()
    store.errors.touch = FIRE
    clock.forward(10 * MINUTE)
    expect((await visitor.get()).text).toBe('1')
    if (implementation.isReference) expect(await place.error).toBe(FIRE)
  })

  test('a store that fails tells the callbacks of save, reload, regenerate and destroy', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store }, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      const { session } = req
      session.views = 5
      Object.assign(store.errors, { get: FIRE, set: FIRE, destroy: FIRE })
      const reported: string[] = []
      for (const verb of ['save', 'reload', 'regenerate'] as const) {
        const error = await called((done) => session[verb](done)).catch((reason: unknown) => reason)
        reported.push(`${verb}: ${String(error).includes(FIRE.message)}`)
      }
      const error = await called((done) => (req.session ?? session).destroy(done)).catch((reason: unknown) => reason)
      reported.push(`destroy: ${String(error).includes(FIRE.message)}`)
      for (const verb of ['get', 'set', 'destroy'] as const) delete store.errors[verb]
      res.json(reported)
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    expect(JSON.parse((await visitor.get()).text)).toEqual(['save: true', 'reload: true', 'regenerate: true', 'destroy: true'])
  })

  test('a row that is none harms nobody else, and at most its visit ends in an error', async () => {
    const { store, place, visitor } = await opened()
    const [id = ''] = [...store.rows.keys()]
    for (const text of ['{"views":1}', '"text"', '17', '[]', '{"cookie":7}']) {
      store.rows.set(id, text)
      expect([200, 500]).toContain((await visitor.get()).status)
      expect((await place.get()).status).toBe(200)
    }
    // On purpose: ours reads a row without a cookie.
    store.rows.set(id, '{"views":1}')
    expect((await visitor.get()).status).toBe(implementation.isReference ? 500 : 200)
  })

  test('a store that is disconnected lets requests through without a session until it is back, in ours only those without our cookie', async () => {
    const store = homeMade(implementation)
    const place = await openApp((app) => {
      app.use(middlewareOf(implementation, { store, saveUninitialized: true }))
      app.use(handle((req, res) => (req.session ? writeAtWrite(req, res, () => {}) : res.send('no session'))))
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    store.emit('disconnect')
    for (const path of ['/', '/write']) expect((await place.get(path)).text).toBe('no session')
    const away = await visitor.get()
    if (implementation.isReference) expect(away.text).toBe('no session')
    // On purpose: a visitor who may be logged in is not treated as logged out.
    else expect(away.status).toBeGreaterThanOrEqual(500)
    store.emit('connect')
    expect((await visitor.get()).text).toBe('1')
  })
})

forEachImplementation('Store', (implementation) => {
  test('a store may call Store or extend it, and is an EventEmitter', async () => {
    class Extended extends implementation.session.Store {
      readonly rows = new Map<string, string>()
      override get(id: string, done: (error?: unknown, row?: Row | null) => void): void {
        setImmediate(() => done(null, JSON.parse(this.rows.get(id) ?? 'null')))
      }
      override set(id: string, row: unknown, done?: (error?: unknown) => void): void {
        this.rows.set(id, JSON.stringify(row))
        setImmediate(() => done?.())
      }
      override destroy(id: string, done?: (error?: unknown) => void): void {
        this.rows.delete(id)
        setImmediate(() => done?.())
      }
    }
    for (const store of [homeMade(implementation), new Extended()]) {
      expect(store).toBeInstanceOf(EventEmitter)
      expect(store).toBeInstanceOf(implementation.session.Store)
      const received: unknown[] = []
      store.on('news', (news) => received.push(news))
      store.emit('news', 1)
      expect(received).toEqual([1])
      const visitor = (await open(implementation, { store }, count)).visitor()
      await visitor.get()
      expect((await visitor.get()).text).toBe('2')
    }
  })

  test('MemoryStore is a Store, in ours a store of our own', () => {
    expect(new implementation.session.MemoryStore()).toBeInstanceOf(
      implementation.isReference ? implementation.session.Store : implementation.session.MemoryStore,
    )
  })

  test('createSession makes a session of a row, with a cookie whose dates are dates', async () => {
    handClock()
    const store = homeMade(implementation)
    const expires = new Date(START + HOUR)
    for (const given of [expires, expires.toISOString()]) {
      const req = { sessionID: 'an-id', sessionStore: store }
      const row = { user: 'alice', cookie: { originalMaxAge: 2 * HOUR, expires: given, path: '/', httpOnly: true } }
      const session = store.createSession(req, row)
      expect(session).toBeInstanceOf(implementation.session.Session)
      expect([session.id, session.user, Reflect.get(req, 'session') === session]).toEqual(['an-id', 'alice', true])
      expect(session.cookie.expires).toEqual(expires)
      expect([session.cookie.originalMaxAge, session.cookie.maxAge]).toEqual([2 * HOUR, HOUR])
    }
  })

  test('load finds the session of an id, for code without a request', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store }, (req, res) => {
      req.session.user = 'alice'
      res.send(req.sessionID)
    })
    const { text: id } = await place.get()
    const session = await called<{ id: string; user?: string }>((done) => store.load(id, done as never))
    expect([session?.id, session?.user]).toEqual([id, 'alice'])
    expect(await called((done) => store.load('nobody', done as never))).toBeUndefined()
    store.errors.get = FIRE
    await expect(called((done) => store.load(id, done as never))).rejects.toThrow(FIRE.message)
  })

  test('generate and regenerate of req.sessionStore give the request a new session', async () => {
    const ids: string[] = []
    const place = await open(implementation, { store: homeMade(implementation) }, async (req, res) => {
      ids.push(req.sessionID)
      req.session.views = 1
      const store: AnyStore = req.sessionStore
      if (req.path === '/generate') store.generate?.(req)
      if (req.path === '/regenerate') await called((done) => store.regenerate(req, done))
      res.json([req.sessionID !== ids.at(-1), req.session.id === req.sessionID, req.session.views ?? null])
    })
    for (const path of ['/generate', '/regenerate']) {
      expect(JSON.parse((await place.get(path)).text)).toEqual([true, true, null])
    }
  })

  test('a store is given the id of the cookie, the session and a callback, and nothing else', async () => {
    handClock()
    const store = homeMade(implementation)
    const seen: unknown[] = []
    for (const verb of ['set', 'touch'] as const) {
      const real = store[verb]
      Reflect.set(store, verb, (...args: [string, Row & { cookie: AnyCookie }, () => void]) => {
        const [id, { cookie, user }] = args
        seen.push([
          verb,
          args.length,
          id,
          typeof args[2],
          user,
          cookie.expires instanceof Date,
          cookie.originalMaxAge,
          typeof cookie.maxAge,
        ])
        if (real) Reflect.apply(real, store, args)
      })
    }
    const place = await open(implementation, { store, cookie: { maxAge: HOUR } }, (req, res) => {
      req.session.user = 'alice'
      res.send(req.sessionID)
    })
    const visitor = place.visitor()
    const { text: id } = await visitor.get()
    vi.setSystemTime(START + 10 * MINUTE)
    await visitor.get()
    const rest = [3, id, 'function', 'alice', true, HOUR, 'number']
    expect(seen).toEqual([
      ['set', ...rest],
      ['touch', ...rest],
    ])
  })

  test('a row has the attributes that its cookie went out with', async () => {
    const store = homeMade(implementation)
    const cookie = { secure: 'auto', sameSite: 'auto', path: '/shop', domain: 'example.org', priority: 'low' }
    await (await open(implementation, { store, cookie }, count)).get('/shop')
    const row = JSON.parse([...store.rows.values()][0] ?? '{}')
    expect(row.cookie).toMatchObject({ ...cookie, secure: false, sameSite: 'lax' })
  })
})

forEachImplementation('Cookie and Session', (implementation) => {
  test('a Cookie of its own has the defaults, and takes options', () => {
    handClock()
    const { Cookie } = implementation.session
    const plain = new Cookie()
    expect([plain.path, plain.httpOnly, plain.maxAge ?? null, plain.expires ?? null, plain.originalMaxAge ?? null]).toEqual([
      '/',
      true,
      null,
      null,
      null,
    ])
    const given = new Cookie({ path: '/admin', httpOnly: false, maxAge: HOUR, data: 'ignored' })
    expect([given.path, given.httpOnly, given.maxAge, given.originalMaxAge]).toEqual(['/admin', false, HOUR, HOUR])
    expect(given.expires).toEqual(new Date(START + HOUR))
    given.expires = new Date(START + 2 * HOUR)
    expect([given.maxAge, given.originalMaxAge]).toEqual([2 * HOUR, 2 * HOUR])
    given.expires = null
    expect([given.maxAge ?? null, given.originalMaxAge ?? null]).toEqual([null, null])
  })

  test('req.session is a Session', async () => {
    const place = await open(
      implementation,
      {},
      (req, res) => void res.json(req.session instanceof implementation.session.Session),
    )
    expect((await place.get()).text).toBe('true')
  })
})
