// When the store is written, and how long a session lives in it.
import { expect, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import {
  called,
  count,
  type Handler,
  HOUR,
  handClock,
  homeMade,
  MINUTE,
  open,
  START,
  tally,
  watched,
  writeAtWrite,
  writeTwiceAtOnce,
} from '../support.ts'

forEachImplementation('saving', (implementation) => {
  /** On purpose ours lives up to a minute longer: it is marked as seen once a minute, not at every visit. */
  const expectEnd = (ends: number, at: number) => {
    expect(ends).toBeGreaterThanOrEqual(at)
    expect(ends).toBeLessThanOrEqual(at + (implementation.isReference ? 0 : MINUTE))
  }

  test('a session that changed is stored', async () => {
    const { store, calls } = watched(implementation)
    const visitor = (await open(implementation, { store }, writeAtWrite)).visitor()
    await visitor.get('/write')
    expect(tally(calls)).toEqual({ set: 1 })
    await visitor.get('/write')
    expect(tally(calls).set).toBe(1)
  })

  test('a session that did not change is not stored where resave is false, but marked as in use', async () => {
    const clock = handClock()
    const { store, calls } = watched(implementation)
    const visitor = (await open(implementation, { store, cookie: { maxAge: HOUR } }, writeAtWrite)).visitor()
    await visitor.get('/write')
    tally(calls)
    clock.forward(10 * MINUTE)
    await visitor.get()
    const { set, touch } = tally(calls)
    expect([set, touch]).toEqual([undefined, 1])
  })

  test('a session that did not change is stored where resave is true', async () => {
    const { store, calls } = watched(implementation)
    const visitor = (await open(implementation, { store, resave: true }, writeAtWrite)).visitor()
    await visitor.get('/write')
    tally(calls)
    await visitor.get()
    // On purpose: our own stores mark it as seen and write nothing that did not change.
    expect(tally(calls)).toMatchObject(implementation.callbacks ? { set: 1 } : { touch: 1 })
  })

  test.each<readonly [string, Handler]>([
    ['end', (_req, res) => void res.end('ab')],
    [
      'a stream',
      (_req, res) => {
        res.write('a')
        setImmediate(() => res.end('b'))
      },
    ],
    [
      'writeHead',
      (_req, res) => {
        res.writeHead(200)
        setImmediate(() => res.end('ab'))
      },
    ],
    ['save', (req, res) => void req.session.save(() => res.end('ab'))],
  ])('with resave a session is written once at each request, however it is answered: %s', async (_how, answer) => {
    for (const touch of [true, false]) {
      const store = homeMade(implementation, { touch })
      const place = await open(implementation, { store, resave: true }, (req, res, next) => {
        if (req.path === '/write') req.session.views = (req.session.views ?? 0) + 1
        return answer(req, res, next)
      })
      const visitor = place.visitor()
      for (const path of ['/write', '/write', '/read']) {
        store.calls.splice(0)
        expect((await visitor.get(path)).text).toBe('ab')
        expect([path, tally(store.calls).set]).toEqual([path, 1])
      }
    }
  })

  test('a new session that did not change is stored only where saveUninitialized is true', async () => {
    for (const saveUninitialized of [true, false]) {
      for (const resave of [true, false]) {
        const { store, calls } = watched(implementation)
        await (await open(implementation, { store, saveUninitialized, resave }, writeAtWrite)).get()
        expect(calls).toEqual(saveUninitialized ? ['set'] : [])
      }
    }
  })

  test('a value that was changed and changed back is not stored', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, (req, res) => {
      if (req.path === '/write') req.session.views = 1
      else {
        req.session.views = 2
        req.session.views = 1
      }
      res.end()
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    tally(calls)
    await visitor.get()
    expect(tally(calls).set).toBeUndefined()
  })

  test('a store without touch serves as well', async () => {
    const store = homeMade(implementation, { touch: false })
    const visitor = (await open(implementation, { store }, writeAtWrite)).visitor()
    await visitor.get('/write')
    const { text, status } = await visitor.get()
    expect([status, text]).toEqual([200, '1'])
  })

  test('a store that answers at once serves as well, and the answer is whole', async () => {
    const store = homeMade(implementation, { sync: true })
    const visitor = (await open(implementation, { store }, count)).visitor()
    for (const n of ['1', '2', '3']) expect((await visitor.get()).text).toBe(n)
  })

  test('a row in a store of express-session is its data beside its cookie', async () => {
    handClock()
    const store = homeMade(implementation)
    const place = await open(implementation, { store, cookie: { maxAge: HOUR, sameSite: 'lax', secure: false } }, (req, res) => {
      Object.assign(req.session, { user: 'alice', cart: [1] })
      res.send(req.sessionID)
    })
    const { text: id } = await place.get()
    expect([...store.rows.keys()]).toEqual([id])
    const row = JSON.parse(store.rows.get(id) ?? '{}')
    expect(row).toMatchObject({ user: 'alice', cart: [1] })
    expectEnd(Date.parse(row.cookie.expires), START + HOUR)
    const cookie = { originalMaxAge: HOUR, httpOnly: true, path: '/', sameSite: 'lax', secure: false }
    expect(row.cookie).toMatchObject(cookie)
  })

  test('the row says when the session ends now, after a visit that changed nothing too', async () => {
    const clock = handClock()
    const store = homeMade(implementation)
    const visitor = (await open(implementation, { store, cookie: { maxAge: HOUR } }, writeAtWrite)).visitor()
    const expires = () => Date.parse(JSON.parse([...store.rows.values()][0] ?? '{}').cookie.expires)
    await visitor.get('/write')
    expectEnd(expires(), START + HOUR)
    clock.forward(30 * MINUTE)
    await visitor.get('/read')
    expectEnd(expires(), START + 30 * MINUTE + HOUR)
    clock.forward(30 * MINUTE)
    await visitor.get('/write')
    expectEnd(expires(), START + 2 * HOUR)
  })

  test('a visitor who comes again before maxAge has passed stays, and one who does not is forgotten', async () => {
    const clock = handClock()
    const visitor = (await open(implementation, { cookie: { maxAge: HOUR } }, writeAtWrite)).visitor()
    await visitor.get('/write')
    for (const _visit of [1, 2, 3]) {
      clock.forward(50 * MINUTE)
      expect((await visitor.get()).text).toBe('1')
    }
    clock.forward(2 * HOUR)
    expect((await visitor.get()).text).toBe('nothing')
  })

  test('a visitor whose session has expired gets a new one with another id', async () => {
    const clock = handClock()
    const place = await open(implementation, { cookie: { maxAge: HOUR } }, (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      res.json([req.session.views, req.sessionID])
    })
    const visitor = place.visitor()
    const [, before] = JSON.parse((await visitor.get()).text)
    clock.forward(3 * HOUR)
    const { text, cookie } = await visitor.get()
    const [views, after] = JSON.parse(text)
    expect([views, after !== before, cookie !== undefined]).toEqual([1, true, true])
  })

  test('the time that is left is set back before the row is written', async () => {
    const clock = handClock()
    const store = homeMade(implementation)
    const place = await open(implementation, { store, cookie: { maxAge: HOUR } }, async (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      clock.forward(10 * MINUTE)
      res.end()
    })
    await place.get()
    const row = JSON.parse([...store.rows.values()][0] ?? '{}')
    expectEnd(Date.parse(row.cookie.expires), START + 10 * MINUTE + HOUR)
  })

  test('the original maxAge of a row stays, whether its store gives the date as a text or as a Date', async () => {
    const clock = handClock()
    const store = homeMade(implementation)
    let asDate = false
    const { get } = store
    Reflect.set(store, 'get', (id: string, done: (error?: unknown, row?: unknown) => void) =>
      get.call(store, id, (error, row) => {
        if (row && asDate) row.cookie.expires = new Date(String(row.cookie.expires))
        done(error, row)
      }),
    )
    const place = await open(implementation, { store, cookie: { maxAge: HOUR } }, (req, res) => {
      req.session.views ??= 1
      res.json([req.session.cookie.originalMaxAge, req.session.cookie.expires instanceof Date, req.session.cookie.maxAge])
    })
    const visitor = place.visitor()
    await visitor.get()
    clock.forward(10 * MINUTE)
    expect(JSON.parse((await visitor.get()).text)).toEqual([HOUR, true, 50 * MINUTE])
    asDate = true
    clock.forward(5 * MINUTE)
    expect(JSON.parse((await visitor.get()).text)).toEqual([HOUR, true, 55 * MINUTE])
  })

  test('two requests at once both store what they changed', async () => {
    const stored = await writeTwiceAtOnce(implementation, {})
    // On purpose: there the slower request writes the whole session back as it was, here it changes its own key alone.
    expect(stored).toEqual([true, implementation.isReference ? null : true])
  })

  test('a running request brings a session that was destroyed meanwhile back, in ours it does not', async () => {
    const gate = Promise.withResolvers<void>()
    const inside = Promise.withResolvers<void>()
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/slow') {
        req.session.user = 'alice'
        inside.resolve()
        await gate.promise
      }
      if (req.path === '/logout') await called((done) => req.session.destroy(done))
      if (req.path === '/start') req.session.views = 1
      res.json(req.session?.user ?? null)
    })
    const visitor = place.visitor()
    await visitor.get('/start')
    const { cookie } = visitor
    const slow = place.get('/slow', { cookie })
    await inside.promise
    await visitor.get('/logout')
    gate.resolve()
    await slow
    expect(JSON.parse((await place.get('/read', { cookie })).text)).toBe(implementation.isReference ? 'alice' : null)
  })
})
