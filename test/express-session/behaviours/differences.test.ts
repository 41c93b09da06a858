// Differences on purpose that no other test here states: what express-session does, and what ours does instead.
import { expect, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import { called, count, HOUR, handClock, lifetime, MINUTE, open, writeAtWrite } from '../support.ts'

const DAY = 24 * HOUR

/** As query builders make it: it runs when it is awaited. */
class Query {}
Reflect.set(Query.prototype, 'then', () => {})

forEachImplementation('differences', (implementation) => {
  test('a visitor whose cookie has no maxAge stays until the store forgets, in ours until idleTimeout', async () => {
    const clock = handClock()
    const place = await open(implementation, {}, writeAtWrite)
    const [early, late] = [place.visitor(), place.visitor()]
    for (const visitor of [early, late]) await visitor.get('/write')
    clock.forward(14 * MINUTE)
    expect((await early.get()).text).toBe('1')
    clock.forward(10 * MINUTE)
    expect((await early.get()).text).toBe('1')
    // Its memory store keeps what never expires; other stores of its kind mostly a day.
    expect((await late.get()).text).toBe(implementation.isReference ? '1' : 'nothing')
  })

  test('a visitor who keeps coming stays for ever, in ours until absoluteTimeout', async () => {
    const clock = handClock()
    const place = await open(implementation, { cookie: { maxAge: HOUR } }, writeAtWrite)
    const visitor = place.visitor()
    await visitor.get('/write')
    for (let n = 0; n < 15; n++) {
      clock.forward(50 * MINUTE)
      await visitor.get('/write')
    }
    expect((await visitor.get()).text).toBe(implementation.isReference ? '16' : '1')
  })

  test('a maxAge of ten years is kept, in ours cut at the 400 days of browsers', async () => {
    handClock()
    const place = await open(implementation, { cookie: { maxAge: 3650 * DAY } }, count)
    expect(lifetime((await place.get()).cookie)).toBe((implementation.isReference ? 3650 : 400) * DAY)
  })

  test('the cookie is in the JSON of a session, in ours it is not', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.session.views = 1
      res.json(req.session)
    })
    const json = JSON.parse((await place.get()).text)
    expect(Object.keys(json)).toEqual(implementation.isReference ? ['cookie', 'views'] : ['views'])
  })

  test('a method can be written over, in ours its name is taken', async () => {
    const place = await open(implementation, {}, (req, res) => {
      Reflect.set(req.session, 'touch', () => req.session)
      res.send('written over')
    })
    const { status } = await place.get()
    expect(status).toBe(implementation.isReference ? 200 : 500)
    if (!implementation.isReference) expect(place.errors).toEqual([expect.any(TypeError)])
  })

  test.each<readonly [string, unknown, unknown]>([
    ['a function', () => 1, null],
    ['a symbol', Symbol('x'), null],
    ['no number', Number.NaN, null],
    ['a Map', new Map([['a', 1]]), {}],
    ['a Set', new Set([1]), {}],
    ['a Set deep inside', { list: [{ set: new Set([1]) }] }, { list: [{ set: {} }] }],
    ['an error', new Error('lost'), {}],
    ['a promise that was not awaited', Promise.resolve(1), {}],
    ['a query that was not awaited', new Query(), {}],
    ['an array with a name for its key', Object.assign([], { total: 1 }), []],
    ['a regular expression', /a/, {}],
    ['bytes', new Uint8Array([7]), { 0: 7 }],
    ['parameters', new URLSearchParams('a=1'), {}],
    ['an invalid date', new Date(Number.NaN), null],
  ])('what JSON cannot say is dropped, in ours refused with the name of its key: %s', async (_what, value, found) => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/read') return void res.json(req.session.odd ?? null)
      Object.assign(req.session, { user: 'alice', odd: value })
      res.end()
    })
    const visitor = place.visitor()
    const { status } = await visitor.get()
    expect(status).toBe(implementation.isReference ? 200 : 500)
    if (implementation.isReference) expect(JSON.parse((await visitor.get('/read')).text)).toEqual(found)
    else expect(String(await place.error)).toContain('"odd"')
  })

  test.each<readonly [string, unknown]>([
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    [
      'an instance with public fields',
      new (class Cart {
        items = [1]
      })(),
    ],
    ['bytes of a Buffer', Buffer.from('x')],
    ['a link', new URL('https://example.org/')],
    ['a date', new Date(0)],
    ['what a regular expression found', 'abc'.match(/b/)],
    ['a list with a gap', [1, undefined, null]],
    ['nothing', null],
  ])('what JSON can say is kept as JSON says it: %s', async (_what, value) => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/read') return void res.json(req.session.odd)
      Object.assign(req.session, { odd: value })
      res.end()
    })
    const visitor = place.visitor()
    expect((await visitor.get()).status).toBe(200)
    expect((await visitor.get('/read')).text).toBe(JSON.stringify(value))
  })

  test('reload puts a new object at req.session, in ours it fills the same', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      const before = req.session
      req.session.views ??= 1
      await called((done) => before.save(done))
      await called((done) => before.reload(done))
      res.json(req.session === before)
    })
    expect((await place.get()).text).toBe(String(!implementation.isReference))
  })

  test('req.session can be replaced by any object, which breaks the answer there and is refused at once in ours', async () => {
    const place = await open(implementation, {}, (req, res) => {
      try {
        Reflect.set(req, 'session', { user: 'mallory' })
      } catch (error) {
        return void res.status(400).send(String(error))
      }
      req.socket.destroy()
    })
    const answer = await place.get().catch((error: Error) => error)
    if (implementation.isReference) expect(answer).toBeInstanceOf(Error)
    else expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('TypeError') })
  })

  test('a second cookie of the same name is ignored, in ours up to four are tried', async () => {
    const place = await open(implementation, {}, count)
    const visitor = place.visitor()
    await visitor.get()
    const planted = 'connect.sid=s%3Aplanted.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    expect((await place.get('/', { cookie: `${planted}; ${visitor.cookie}` })).text).toBe(implementation.isReference ? '1' : '2')
  })

  test('a visitor gets the session cookie alone, in ours a marker beside it where it is Strict', async () => {
    for (const sameSite of ['strict', 'lax'] as const) {
      const visitor = (await open(implementation, { cookie: { sameSite, maxAge: HOUR } }, writeAtWrite)).visitor()
      await visitor.get('/write')
      expect(visitor.cookie).toMatch(
        implementation.isReference || sameSite !== 'strict' ? /^connect\.sid=[^;]+$/ : /; connect\.sid-seen=1$/,
      )
    }
  })

  test('a visitor whom a link from elsewhere brings is unknown, in ours asked once more by a page that finds the Strict cookie', async () => {
    const visitor = (await open(implementation, { cookie: { sameSite: 'strict' } }, writeAtWrite)).visitor()
    await visitor.get('/write')
    const fromElsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    const { status, text } = await visitor.get('/page', { headers: fromElsewhere, cookie: 'connect.sid-seen=1' })
    expect([status, text === 'nothing']).toEqual([200, implementation.isReference])
    if (!implementation.isReference) expect(text).toContain('<meta http-equiv="refresh" content="0; url=./page">')
  })
})
