// req.session: its methods, its cookie, and what it keeps.
import { expect, test } from 'vitest'
import { type AnyCookie, forEachImplementation, type Row } from '../implementations.ts'
import {
  called,
  count,
  type Handler,
  HOUR,
  handClock,
  homeMade,
  lifetime,
  MINUTE,
  open,
  SECOND,
  START,
  tally,
  watched,
} from '../support.ts'

forEachImplementation('req.session', (implementation) => {
  test('a visitor finds at the next visit what was kept', async () => {
    const kept = { user: 'alice', cart: [1, { two: null }], born: '1815-12-10', empty: '', none: null, no: false, zero: 0 }
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/write') Object.assign(req.session, kept)
      res.json(Object.fromEntries(Object.keys(kept).map((key) => [key, req.session[key]])))
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    expect(JSON.parse((await visitor.get()).text)).toEqual(kept)
  })

  test('a Date that was kept comes back as its text', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.session.at ??= new Date(START)
      res.json(req.session.at)
    })
    const visitor = place.visitor()
    await visitor.get()
    expect(JSON.parse((await visitor.get()).text)).toBe(new Date(START).toISOString())
  })

  test('a change deep inside is noticed, and a key that was deleted stays away', async () => {
    const place = await open(implementation, {}, (req, res) => {
      const { session } = req
      if (req.path === '/write') session.cart = { apples: { count: 1 } }
      if (req.path === '/more') (session.cart as { apples: { count: number } }).apples.count++
      if (req.path === '/none') delete session.cart
      res.json(session.cart ?? 'none')
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    await visitor.get('/more')
    expect(JSON.parse((await visitor.get()).text)).toEqual({ apples: { count: 2 } })
    await visitor.get('/none')
    expect(JSON.parse((await visitor.get()).text)).toBe('none')
  })

  test('a key named cookie inside the data is data', async () => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/write') req.session.jar = { cookie: 'oats' }
      if (req.path === '/more') req.session.jar = { cookie: 'rye' }
      res.json(req.session.jar ?? null)
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    await visitor.get('/more')
    expect(JSON.parse((await visitor.get()).text)).toEqual({ cookie: 'rye' })
  })

  test('id is the id of the request, and cannot be changed', async () => {
    const place = await open(implementation, {}, (req, res) => {
      const before = req.session.id
      try {
        Reflect.set(req.session, 'id', 'chosen')
      } catch (error) {
        // On purpose: ours says that it cannot be done.
        if (implementation.isReference || !(error instanceof TypeError)) throw error
      }
      res.json([before === req.sessionID, req.session.id === before, typeof before])
    })
    expect(JSON.parse((await place.get()).text)).toEqual([true, true, 'string'])
  })

  test('methods, id and req are not among the keys', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.session.views = 1
      const names: string[] = []
      for (const name in req.session) names.push(name)
      res.json([names, Object.keys(req.session)])
    })
    const [inLoop, own] = JSON.parse((await place.get()).text)
    // On purpose: the cookie is none of ours either.
    const expected = implementation.isReference ? ['cookie', 'views'] : ['views']
    expect([inLoop, own]).toEqual([expected, expected])
  })

  test('a row with keys named like methods takes no method away', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store }, (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      const methods = (['save', 'reload', 'destroy', 'regenerate', 'touch', 'resetMaxAge'] as const).map(
        (name) => typeof req.session[name],
      )
      res.json([req.session.views, ...new Set(methods)])
    })
    const visitor = place.visitor()
    await visitor.get()
    const [id = '', text = ''] = [...store.rows][0] ?? []
    store.rows.set(id, JSON.stringify({ ...JSON.parse(text), save: 'x', reload: 1, destroy: {}, touch: null, id: 'y', req: 'z' }))
    expect(JSON.parse((await visitor.get()).text)).toEqual([2, 'function'])
  })

  test('touch, resetMaxAge, regenerate and destroy give the session back, so that calls can be chained', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      const first = req.session
      const given = [first.touch() === first, first.resetMaxAge() === first]
      await called((done) => given.push(first.regenerate(done) === first))
      const { session } = req
      await called((done) => given.push(session.destroy(done) === session))
      res.json(given)
    })
    expect(JSON.parse((await place.get()).text)).toEqual([true, true, true, true])
  })

  test('save stores what is there now, before the answer', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, (req, res, next) => {
      if (req.path === '/') return void res.send(String(req.session.views))
      req.session.views = 7
      req.session.save((error) => (error ? next(error) : res.json(calls.filter((call) => call === 'set').length)))
    })
    const visitor = place.visitor()
    expect((await visitor.get('/write')).text).toBe('1')
    expect((await visitor.get()).text).toBe('7')
  })

  test('a session that save has stored is not stored again at the end', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, async (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      await called((done) => req.session.save(done))
      res.end()
    })
    const visitor = place.visitor()
    await visitor.get()
    expect(tally(calls).set).toBe(1)
    await visitor.get()
    expect(tally(calls).set).toBe(1)
  })

  test('what changes after save is stored at the end', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/') return void res.send(String(req.session.views))
      req.session.views = 1
      await called((done) => req.session.save(done))
      req.session.views = 2
      res.end()
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    expect((await visitor.get()).text).toBe('2')
  })

  test('what is changed back after save is stored at the end', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/change') {
        req.session.views = 2
        await called((done) => req.session.save(done))
        req.session.views = 1
      } else req.session.views ??= 1
      res.send(String(req.session.views))
    })
    const visitor = place.visitor()
    await visitor.get()
    await visitor.get('/change')
    expect((await visitor.get()).text).toBe('1')
  })

  test('save stores also after the answer has gone', async () => {
    const saved = Promise.withResolvers<void>()
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/read') return void res.send(String(req.session.views))
      req.session.views = 1
      res.on('finish', () => {
        req.session.views = 2
        called((done) => req.session.save(done)).then(() => saved.resolve(), saved.reject)
      })
      res.end()
    })
    const visitor = place.visitor()
    await visitor.get()
    await saved.promise
    expect((await visitor.get('/read')).text).toBe('2')
  })

  test('save needs no callback', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      const { views } = req.session
      req.session.save()
      res.send(String(views))
    })
    const visitor = place.visitor()
    await visitor.get()
    expect((await visitor.get()).text).toBe('2')
  })

  test('reload brings back what is stored and drops the rest', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      req.session.views = 99
      req.session.user = 'nobody'
      await called((done) => req.session.reload(done))
      res.json([req.session.views, req.session.user ?? null, req.session.id === req.sessionID])
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    expect(JSON.parse((await visitor.get()).text)).toEqual([1, null, true])
  })

  test('reload shows what another request has stored meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    const inside = Promise.withResolvers<void>()
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      const before = req.session.views
      inside.resolve()
      await gate.promise
      await called((done) => req.session.reload(done))
      res.json([before, req.session.views])
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    const waiting = visitor.get()
    await inside.promise
    await visitor.get('/write')
    gate.resolve()
    expect(JSON.parse((await waiting).text)).toEqual([1, 2])
  })

  test('reload of a session that is gone is an error', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      const { session, sessionID: id } = req
      await called((done) => req.sessionStore.destroy(id, done))
      const error = await called((done) => session.reload(done)).catch((reason) => reason)
      res.json(error instanceof Error ? 'an error' : 'no error')
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    expect(JSON.parse((await visitor.get()).text)).toBe('an error')
  })

  test('a failed reload leaves a session that can still be saved', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store }, async (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      if (req.path === '/fails') {
        store.errors.get = new Error('away')
        const error = await called((done) => req.session.reload(done)).catch((reason) => reason)
        delete store.errors.get
        req.session.failure = String(error)
      }
      res.json([req.session.views, req.session.failure ?? null])
    })
    const visitor = place.visitor()
    await visitor.get()
    await visitor.get('/fails')
    expect(JSON.parse((await visitor.get()).text)).toEqual([3, expect.stringContaining('away')])
  })

  test('a reloaded session is not stored again where nothing changed', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      await called((done) => req.session.reload(done))
      res.end()
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    tally(calls)
    await visitor.get()
    expect(tally(calls).set).toBeUndefined()
  })

  test('what changes after reload is stored at the end', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path !== '/write') await called((done) => req.session.reload(done))
      await count(req, res, () => {})
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    await visitor.get()
    expect((await visitor.get()).text).toBe('3')
  })

  test('regenerate gives a new id and an empty session, and the old one is gone', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      if (req.path === '/read') return void res.json([req.session.views ?? null, req.session.user ?? null])
      const before = { id: req.sessionID, session: req.session }
      await called((done) => req.session.regenerate(done))
      const after = [req.sessionID !== before.id, req.session.id === req.sessionID, req.session.views ?? null]
      req.session.user = 'alice'
      res.json(after)
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    const old = visitor.cookie
    expect(JSON.parse((await visitor.get('/login')).text)).toEqual([true, true, null])
    expect(visitor.cookie).not.toBe(old)
    expect(JSON.parse((await visitor.get('/read')).text)).toEqual([null, 'alice'])
    const { text } = await place.get('/write', { cookie: old })
    // On purpose, for ten seconds: a request that was on its way reads what was, and cannot write it.
    expect(implementation.isReference ? ['1'] : ['1', '2']).toContain(text)
  })

  test('regenerate of a session that was never stored works', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      const before = req.sessionID
      await called((done) => req.session.regenerate(done))
      req.session.user = 'alice'
      res.json(before !== req.sessionID)
    })
    const { text, cookie } = await place.get()
    expect([text, cookie !== undefined]).toEqual(['true', true])
  })

  test('destroy ends the session, and req.session is gone', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, async (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      await called((done) => req.session.destroy(done))
      res.json(typeof req.session)
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    const old = visitor.cookie
    tally(calls)
    expect(JSON.parse((await visitor.get()).text)).toBe('undefined')
    expect(tally(calls)).toEqual({ get: 1, destroy: 1 })
    expect((await place.get('/write', { cookie: old })).text).toBe('1')
  })

  test('destroy needs no callback', async () => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/write') return void count(req, res, () => {})
      req.session.destroy()
      res.json(typeof req.session)
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    const old = visitor.cookie
    expect(JSON.parse((await visitor.get()).text)).toBe('undefined')
    expect((await place.get('/write', { cookie: old })).text).toBe('1')
  })

  test('maxAge tells the time that is left, which the end of the request sets back', async () => {
    const clock = handClock()
    const ages: unknown[] = []
    const place = await open(implementation, { cookie: { maxAge: HOUR } }, (req, res) => {
      req.session.views ??= 1
      const { cookie } = req.session
      ages.push(cookie.maxAge, cookie.originalMaxAge, cookie.expires instanceof Date && cookie.expires.getTime() - Date.now())
      res.end()
    })
    const visitor = place.visitor()
    await visitor.get()
    clock.forward(20 * MINUTE)
    await visitor.get()
    await visitor.get()
    const left = HOUR - 20 * MINUTE
    expect(ages).toEqual([HOUR, HOUR, HOUR, left, HOUR, left, HOUR, HOUR, HOUR])
  })

  const changing: readonly (readonly [string, () => Partial<AnyCookie>, number | undefined])[] = [
    ['maxAge', () => ({ maxAge: 2 * HOUR }), 2 * HOUR],
    ['expires', () => ({ expires: new Date(Date.now() + 3 * HOUR) }), 3 * HOUR],
    ['expires to false', () => ({ expires: false }), undefined],
    ['expires to null', () => ({ expires: null }), undefined],
    ['maxAge to null', () => ({ maxAge: null }), undefined],
  ]
  test.each(changing)(
    'a visitor gets a cookie of another lifetime where the application sets %s',
    async (_what, change, life) => {
      handClock()
      const place = await open(implementation, { cookie: { maxAge: HOUR } }, (req, res) => {
        req.session.views = 1
        Object.assign(req.session.cookie, change())
        res.json(req.session.cookie.originalMaxAge)
      })
      const { cookie, text } = await place.get()
      expect(lifetime(cookie)).toBe(life)
      expect(JSON.parse(text) || undefined).toBe(life)
    },
  )

  test('a lifetime that was set for one session stays with it', async () => {
    const clock = handClock()
    const place = await open(
      implementation,
      { cookie: { maxAge: MINUTE }, rolling: true, absoluteTimeout: '60d' },
      (req, res) => {
        if (req.path === '/remember') {
          req.session.user = 'alice'
          req.session.cookie.maxAge = 24 * HOUR
        }
        res.json(req.session.user ?? null)
      },
    )
    const visitor = place.visitor()
    await visitor.get('/remember')
    clock.forward(20 * HOUR)
    const later = await visitor.get()
    expect([later.text, lifetime(later.cookie)]).toEqual(['"alice"', 24 * HOUR])
    clock.forward(20 * HOUR)
    expect((await visitor.get()).text).toBe('"alice"')
  })

  test('an application changes the attributes of one session’s cookie', async () => {
    const place = await open(implementation, { cookie: { sameSite: 'lax' } }, (req, res) => {
      req.session.views = 1
      Object.assign(req.session.cookie, { domain: 'example.org', httpOnly: false, sameSite: 'strict' })
      res.end()
    })
    const found = (await place.get()).cookie?.attributes
    expect([found?.get('domain'), found?.has('httponly'), found?.get('samesite')]).toEqual(['example.org', false, 'Strict'])
  })

  test('touch and resetMaxAge set the time that is left back to the whole', async () => {
    const clock = handClock()
    const place = await open(implementation, { cookie: { maxAge: HOUR } }, (req, res) => {
      req.session.views ??= 1
      const ages = [req.session.cookie.maxAge]
      req.session.touch()
      ages.push(req.session.cookie.maxAge)
      req.session.cookie.maxAge = 2 * HOUR
      clock.forward(SECOND)
      ages.push(req.session.cookie.maxAge, req.session.resetMaxAge().cookie.maxAge)
      res.json(ages)
    })
    expect(JSON.parse((await place.get()).text)).toEqual([HOUR, HOUR, 2 * HOUR - SECOND, 2 * HOUR])
  })

  test('the cookie tells its attributes, and says them as JSON', async () => {
    handClock()
    const cookie = {
      path: '/',
      httpOnly: true,
      secure: false,
      sameSite: 'lax',
      domain: 'example.org',
      priority: 'high',
      maxAge: HOUR,
    }
    const place = await open(implementation, { cookie }, (req, res) => {
      const { path, httpOnly, secure, sameSite, domain, priority, originalMaxAge } = req.session.cookie
      res.json([{ path, httpOnly, secure, sameSite, domain, priority, maxAge: originalMaxAge }, req.session.cookie])
    })
    const [reported, json]: [object, Record<string, unknown>] = JSON.parse((await place.get()).text)
    expect(reported).toEqual(cookie)
    const { maxAge, ...others } = cookie
    expect(json).toMatchObject({ ...others, originalMaxAge: maxAge, expires: new Date(START + HOUR).toISOString() })
  })

  test('req.sessionStore is the store, by which a session can be read', async () => {
    const handler: Handler = async (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      await called((done) => req.session.save(done))
      const row = await called<Row>((done) => req.sessionStore.get(req.sessionID, done))
      res.json(row?.views ?? null)
    }
    const store = homeMade(implementation)
    expect((await (await open(implementation, {}, handler)).get()).text).toBe('1')
    expect((await (await open(implementation, { store }, handler)).get()).text).toBe('1')
  })

  test('req.sessionStore ends any session by its id', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      if (!req.path.startsWith('/end/')) return void count(req, res, () => {})
      await called((done) => req.sessionStore.destroy(req.path.slice('/end/'.length), done))
      res.end()
    })
    const visitor = place.visitor()
    const { cookie } = await visitor.get()
    const id = decodeURIComponent(cookie?.value ?? '')
      .slice(2)
      .split('.')[0]
    await place.get(`/end/${id}`)
    expect((await visitor.get()).text).toBe('1')
  })
})
