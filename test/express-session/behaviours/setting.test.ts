// When a response sets the cookie: saveUninitialized, rolling, changes and maxAge, in all combinations.
import { expect, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import { called, HOUR, handClock, idIn, lifetime, MINUTE, open, watched, writeAtWrite } from '../support.ts'

forEachImplementation('setting the cookie', (implementation) => {
  const combinations = [true, false].flatMap((saveUninitialized) =>
    [true, false].flatMap((rolling) => [HOUR, undefined].map((maxAge) => ({ saveUninitialized, rolling, maxAge }))),
  )

  test.each(combinations)(
    'a visit sets the cookie as the options say: saveUninitialized $saveUninitialized, rolling $rolling, maxAge $maxAge',
    async ({ saveUninitialized, rolling, maxAge }) => {
      const options = { saveUninitialized, rolling, cookie: maxAge === undefined ? {} : { maxAge } }
      const place = await open(implementation, options, writeAtWrite)
      const set = async (path: string, visitor = place.visitor()) => (await visitor.get(path)).cookie !== undefined
      expect([await set('/read'), await set('/write')]).toEqual([saveUninitialized, true])
      const returning = place.visitor()
      await returning.get('/write')
      expect([await set('/read', returning), await set('/write', returning)]).toEqual([rolling, rolling || maxAge !== undefined])
    },
  )

  test('rolling sets no cookie for a visitor without a session', async () => {
    const place = await open(implementation, { rolling: true, cookie: { maxAge: HOUR } }, writeAtWrite)
    const visitor = place.visitor()
    expect((await visitor.get()).cookie).toBeUndefined()
    expect((await visitor.get()).cookie).toBeUndefined()
  })

  test('rolling sets the lifetime of the cookie back at every visit', async () => {
    const clock = handClock()
    const visitor = (await open(implementation, { rolling: true, cookie: { maxAge: HOUR } }, writeAtWrite)).visitor()
    await visitor.get('/write')
    for (const _visit of [1, 2, 3]) {
      clock.forward(40 * MINUTE)
      const { cookie, text } = await visitor.get()
      expect([text, lifetime(cookie)]).toEqual(['1', HOUR])
    }
  })

  test('a change sets the lifetime of the cookie back, a visit alone does not send one', async () => {
    const clock = handClock()
    const visitor = (await open(implementation, { cookie: { maxAge: HOUR } }, writeAtWrite)).visitor()
    await visitor.get('/write')
    clock.forward(40 * MINUTE)
    expect((await visitor.get()).cookie).toBeUndefined()
    expect(lifetime((await visitor.get('/write')).cookie)).toBe(HOUR)
  })

  test('the cookie is set once, also where the application writes its head itself', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.session.views = 1
      res.writeHead(200)
      res.write('a')
      res.end('b')
    })
    const { lines, text } = await place.get()
    expect([lines.length, text]).toEqual([1, 'ab'])
  })

  test('a visitor whose session was regenerated gets the cookie of the new one', async () => {
    const place = await open(implementation, { saveUninitialized: true }, async (req, res) => {
      if (req.path === '/new') await called((done) => req.session.regenerate(done))
      res.send(req.sessionID)
    })
    const visitor = place.visitor()
    await visitor.get()
    const { cookie, text } = await visitor.get('/new')
    expect(idIn(cookie)).toBe(text)
  })

  test('a visitor whose session was regenerated and not written to gets the new id, and is known under it', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, async (req, res) => {
      if (req.path === '/write') req.session.views = 1
      if (req.path === '/new') await called((done) => req.session.regenerate(done))
      if (req.path === '/store') await called((done) => req.sessionStore.regenerate(req, done))
      res.send(req.sessionID)
    })
    for (const path of ['/new', '/store']) {
      const visitor = place.visitor()
      const before = await visitor.get('/write')
      calls.splice(0)
      const { cookie, lines, text } = await visitor.get(path)
      expect([path, lines.length, idIn(cookie)]).toEqual([path, 1, text])
      expect(text).not.toBe(before.text)
      expect((await visitor.get()).text).toBe(text)
    }
    // On purpose: a new visitor has no id yet that others could know.
    expect((await place.get('/new')).lines).toHaveLength(implementation.isReference ? 1 : 0)
  })

  test('resave sets no cookie for a visitor who only reads', async () => {
    const visitor = (await open(implementation, { resave: true, cookie: { maxAge: HOUR } }, writeAtWrite)).visitor()
    expect((await visitor.get('/write')).lines).toHaveLength(1)
    expect((await visitor.get('/read')).lines).toEqual([])
    expect((await visitor.get('/write')).lines).toHaveLength(1)
  })

  test('a session that is changed only after the head has gone gets no cookie', async () => {
    const place = await open(implementation, {}, (req, res) => {
      res.write('a')
      req.session.views = 1
      res.end('b')
    })
    const answer = await place.get()
    expect([answer.text, answer.lines]).toEqual(['ab', []])
  })

  test('a visitor who only looks has no row and no cookie where saveUninitialized is false', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, writeAtWrite)
    const answer = await place.get()
    expect([answer.lines, calls]).toEqual([[], []])
  })

  test('a visitor who only looks has a row and a cookie where saveUninitialized is true', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, saveUninitialized: true }, (req, res) => {
      res.send(req.sessionID)
    })
    const visitor = place.visitor()
    const { cookie, text } = await visitor.get()
    expect([idIn(cookie), calls]).toEqual([text, ['set']])
    expect((await visitor.get()).text).toBe(text)
  })
})
