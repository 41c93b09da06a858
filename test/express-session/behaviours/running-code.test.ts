// What real code contains: options from unset variables, idioms of tutorials, objects that are no full requests.
import { expect, test } from 'vitest'
import { type AnySession, forEachImplementation, type Implementation, type Middleware, type Options } from '../implementations.ts'
import {
  called,
  count,
  HOUR,
  handClock,
  handle,
  homeMade,
  ignoreDeprecations,
  lifetime,
  MINUTE,
  middlewareOf,
  type OpenApp,
  open,
  openApp,
  type Req,
  START,
  watched,
  withDefaults,
  writeAtWrite,
} from '../support.ts'

const CAPITALS = ['None', 'NONE', 'Lax', 'STRICT']
const MISSING = [undefined, null, '']
const HTTPS = { 'x-forwarded-proto': 'https' }

/** An application that counts views, with exactly these options beside secret, resave and saveUninitialized. */
function counting(implementation: Implementation, options: Options): Promise<OpenApp> {
  return openApp((app) => {
    app.use(implementation.session({ ...withDefaults(implementation), ...options }))
    app.use(handle(count))
  })
}

forEachImplementation('options in running code', (implementation) => {
  test.each<[string, Options]>([
    ['store null', { store: null }],
    ['store empty', { store: '' }],
    ['store false', { store: false }],
    ['proxy null', { proxy: null }],
    ['name and key empty', { name: '', key: '' }],
    ['genid null', { genid: null }],
    ['unset null', { unset: null }],
    ['rolling null', { rolling: null }],
    ['cookie null', { cookie: null }],
    ['domain empty', { cookie: { domain: '' } }],
    ['domain null', { cookie: { domain: null } }],
    ['priority empty', { cookie: { priority: '' } }],
    ['sameSite empty', { cookie: { sameSite: '' } }],
    ['maxAge false', { cookie: { maxAge: false } }],
    ['expires null', { cookie: { expires: null } }],
    ['signed', { cookie: { signed: true } }],
  ])('an option that is empty or null counts as not given: %s', async (_what, options) => {
    const said: string[] = []
    const place = await counting(implementation, { ...options, warn: (text: string) => said.push(text) })
    const visitor = place.visitor()
    const { cookie } = await visitor.get()
    expect((await visitor.get()).text).toBe('2')
    expect(cookie?.name).toBe('connect.sid')
    expect([...(cookie?.attributes.keys() ?? [])]).toEqual(
      implementation.isReference ? expect.anything() : ['path', 'httponly', 'samesite'],
    )
    expect(said.filter((text) => !text.includes('memory'))).toEqual([])
  })

  test('proxy null leaves it to Express whether a connection is secure', async () => {
    const place = await openApp((app) => {
      app.set('trust proxy', true)
      app.use(middlewareOf(implementation, { proxy: null, cookie: { secure: true } }), handle(count))
    })
    expect((await place.get('/', { headers: HTTPS })).cookie).toBeDefined()
  })

  test.each(CAPITALS)('the case of the letters of sameSite does not matter: %s', async (sameSite) => {
    const place = await open(implementation, { proxy: true, cookie: { secure: true, sameSite } }, count)
    const { cookie } = await place.get('/', { headers: HTTPS })
    expect(cookie?.attributes.get('samesite')?.toLowerCase()).toBe(sameSite.toLowerCase())
  })

  test('yes and no may be anything that is something or nothing, which ours warns of', async () => {
    const said: string[] = []
    const options = { rolling: 'yes', cookie: { httpOnly: 0, secure: 0 }, warn: (text: string) => said.push(text) }
    const visitor = (await open(implementation, options, writeAtWrite)).visitor()
    await visitor.get('/write')
    const { cookie } = await visitor.get('/read')
    expect([cookie?.attributes.has('path'), cookie?.attributes.has('httponly')]).toEqual([true, false])
    expect(said).toHaveLength(implementation.isReference ? 0 : 1)
    if (!implementation.isReference) expect(said[0]).toMatch(/rolling must be .*"yes": taken as true.*cookie\.httpOnly/)
  })

  test('a name that is no option is ignored, and ours suggests the nearest in one warning', async () => {
    const said: string[] = []
    const wrong = { saveUninitialised: true, maxAge: 1, colour: 'red', cookie: { httponly: false, 'same-site': 'lax' } }
    const place = await counting(implementation, { ...wrong, warn: (text: string) => said.push(text) })
    expect((await place.get()).cookie).toBeDefined()
    if (implementation.isReference) return
    expect(said).toEqual([expect.stringContaining('there is no option')])
    for (const text of [
      'saveUninitialised: is saveUninitialized meant?',
      'maxAge: is cookie.maxAge meant?',
      'colour: it does nothing',
      'cookie.httponly: is cookie.httpOnly meant?',
      'cookie.same-site: is cookie.sameSite meant?',
    ])
      expect(said[0]).toContain(text)
  })

  test('a maxAge of 0 gives a cookie that has expired, in ours none and no row', async () => {
    handClock()
    const said: string[] = []
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, cookie: { maxAge: 0 }, warn: (text: string) => said.push(text) }, count)
    for (const _visit of [1, 2]) {
      const { status, text, cookie } = await place.get()
      expect([status, text, lifetime(cookie)]).toEqual([200, '1', implementation.isReference ? 0 : undefined])
    }
    if (!implementation.isReference) expect([calls, said]).toEqual([[], [expect.stringContaining('cookie.maxAge')]])
  })

  test('a Date as the option maxAge is the date on which the cookie expires', async () => {
    ignoreDeprecations()
    handClock()
    const place = await open(implementation, { cookie: { maxAge: new Date(START + 2 * HOUR) } }, count)
    expect(lifetime((await place.get()).cookie)).toBe(2 * HOUR)
  })

  test('the date on which the cookie expires is the same for a later visitor, and in ours also at the next visit', async () => {
    const clock = handClock()
    const place = await open(implementation, { cookie: { expires: new Date(START + 2 * HOUR) } }, count)
    const visitor = place.visitor()
    await visitor.get()
    clock.forward(HOUR)
    const ends = async (who: { get(): Promise<{ cookie: Parameters<typeof lifetime>[0] }> }) =>
      Date.now() + (lifetime((await who.get()).cookie) ?? 0)
    expect(await ends(place)).toBe(START + 2 * HOUR)
    // On purpose: there the time that was left at the first visit begins anew at each.
    expect(await ends(visitor)).toBe(START + (implementation.isReference ? 3 : 2) * HOUR)
    clock.forward(HOUR + MINUTE)
    if (!implementation.isReference) expect((await visitor.get()).text).toBe('1')
  })

  test.each<[string, Options]>([
    ['a scheme', { domain: 'https://example.org' }],
    ['a port', { domain: 'example.org:3000' }],
    ['a path', { domain: 'example.org/app' }],
  ])('a domain that is no host name is an error at each answer, in ours at the start: %s', async (_what, cookie) => {
    const make = () => counting(implementation, { cookie, resave: true })
    if (!implementation.isReference) {
      await expect(async () => make()).rejects.toThrow('cookie.domain must be a host name')
      return
    }
    const place = await make()
    await place.get()
    expect(place.errors).toEqual([expect.any(TypeError)])
  })

  test.each<[string, string, Options]>([
    ['sameSite none', 'cookie.sameSite', { sameSite: 'none' }],
    ['partitioned', 'cookie.partitioned', { partitioned: true }],
  ])(
    'a cookie that browsers keep over HTTPS alone is sent over HTTP, in ours neither it nor a row: %s',
    async (_, name, cookie) => {
      const said: string[] = []
      const { store, calls } = watched(implementation)
      const warn = (text: string) => said.push(text)
      const place = await open(implementation, { store, proxy: true, warn, cookie: { secure: 'auto', ...cookie } }, count)
      for (const _visit of [1, 2]) expect((await place.get()).lines).toHaveLength(implementation.isReference ? 1 : 0)
      if (!implementation.isReference) {
        expect(calls).toEqual([])
        expect(said).toEqual([expect.stringContaining(name)])
        expect(() => implementation.session(withDefaults(implementation, { cookie: { secure: false, ...cookie } }))).toThrow(
          'needs cookie.secure',
        )
      }
      expect((await place.get('/', { headers: HTTPS })).lines).toHaveLength(1)
    },
  )

  test('what an application sets on the cookie of one session is judged like an option', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store }, (req, res) => {
      req.session.views = 1
      if (req.path === '/none') req.session.cookie.sameSite = 'None'
      if (req.path === '/lax') req.session.cookie.sameSite = 'LAX'
      if (req.path === '/domain') req.session.cookie.domain = 'https://example.org'
      if (req.path === '/sometimes') req.session.cookie.sameSite = 'sometimes'
      res.end()
    })
    expect((await place.get('/lax')).cookie?.attributes.get('samesite')).toBe('Lax')
    calls.splice(0)
    // On purpose: over HTTP no browser keeps it.
    expect((await place.get('/none')).lines).toHaveLength(implementation.isReference ? 1 : 0)
    if (!implementation.isReference) expect(calls).toEqual([])
    for (const path of ['/domain', '/sometimes']) expect((await place.get(path)).lines).toEqual([])
    expect(place.errors).toEqual([expect.any(TypeError), expect.any(TypeError)])
  })

  test('sameSite auto without Secure means None over HTTPS, which browsers drop, in ours Lax at every answer', async () => {
    const place = await open(implementation, { proxy: true, cookie: { secure: false, sameSite: 'auto' }, rolling: true }, count)
    const visitor = place.visitor()
    const written = async () => (await visitor.get('/', { headers: HTTPS })).cookie?.attributes.get('samesite')
    expect([await written(), await written(), await written()]).toEqual(
      Array(3).fill(implementation.isReference ? 'None' : 'Lax'),
    )
  })

  test.each(MISSING)('a secret whose variable is missing is an error at each visit, in ours at the start: %s', async (secret) => {
    ignoreDeprecations()
    const make = () => counting(implementation, { secret })
    if (!implementation.isReference) {
      await expect(async () => make()).rejects.toThrow(/secret must be set.*variable/)
      return
    }
    const { status, text } = await (await make()).get()
    expect([status, text]).toEqual([500, expect.stringContaining('secret option required')])
  })
})

forEachImplementation('idioms in running code', (implementation) => {
  test('a handshake that is no full request has the session of its cookie', async () => {
    const store = implementation.newStore()
    const middleware: Middleware = middlewareOf(implementation, { store })
    const place = await openApp((app) => app.use(middleware, handle(count)))
    const visitor = place.visitor()
    await visitor.get()
    const shake = async (headers: Record<string, string>): Promise<AnySession> => {
      const handshake = { headers, url: '/socket' } as unknown as Req
      await called((done) => middleware(handshake as never, {} as never, done))
      return handshake.session
    }
    const known = await shake({ cookie: visitor.cookie })
    expect([known.views, known.cookie.maxAge]).toEqual([1, null])
    known.views = 7
    await called((done) => known.save(done))
    expect((await visitor.get()).text).toBe('8')
    const stranger = await shake({})
    stranger.views = 1
    expect(await called((done) => stranger.save(done))).toBeUndefined()
  })

  test('createSession of req.sessionStore puts what was stored into the session of a request', async () => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/read') return void res.json([req.session.user ?? null, req.session.views ?? null])
      req.session.views = 1
      const made = req.sessionStore.createSession(req, { cookie: {}, user: 'alice' })
      res.json([made === req.session, req.session.id === req.sessionID, req.session.views ?? null])
    })
    const visitor = place.visitor()
    expect(JSON.parse((await visitor.get()).text)).toEqual([true, true, null])
    expect(JSON.parse((await visitor.get('/read')).text)).toEqual(['alice', null])
  })

  test('req.sessionID can be set, in ours an error says what to use', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.sessionID = 'an-id-of-somebody-else'
      res.send(req.sessionID)
    })
    const { status, text } = await place.get()
    expect([status, text]).toEqual(
      implementation.isReference ? [200, 'an-id-of-somebody-else'] : [500, expect.stringContaining('regenerate')],
    )
  })

  test('res.headersSent is true as soon as the answer is given', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store }, (req, res) => {
      req.session.views = 1
      const before = res.headersSent
      res.send('fine')
      found.push(before, res.headersSent)
    })
    const found: boolean[] = []
    const { text, cookie } = await place.get()
    expect([text, cookie !== undefined, found]).toEqual(['fine', true, [false, true]])
  })
})
