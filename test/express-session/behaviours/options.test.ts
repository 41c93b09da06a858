// Making the middleware: what it exports, what it refuses, ids of one's own, and secrets.
import { createHmac, createSecretKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { forEachImplementation, type Options } from '../implementations.ts'
import {
  count,
  handle,
  homeMade,
  idIn,
  ignoreDeprecations,
  middlewareOf,
  open,
  openApp,
  openPlain,
  type Req,
  SECRET,
  watched,
  withDefaults,
  writeAtWrite,
} from '../support.ts'

const signed = (id: string, secret: string) =>
  encodeURIComponent(`s:${id}.${createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')}`)

forEachImplementation('the options', (implementation) => {
  const make = (options: Options) => () => implementation.session(withDefaults(implementation, options))

  test('the function carries Store, MemoryStore, Session and Cookie', () => {
    for (const name of ['Store', 'MemoryStore', 'Session', 'Cookie'] as const)
      expect(implementation.session[name]).toBeTypeOf('function')
  })

  test('a visitor is remembered without any store named', async () => {
    const visitor = (
      await openApp((app) => {
        app.use(implementation.session({ secret: SECRET, resave: false, saveUninitialized: false, warn: () => {} }))
        app.use(handle(count))
      })
    ).visitor()
    await visitor.get()
    expect((await visitor.get()).text).toBe('2')
  })

  test('an application without Express has sessions too', async () => {
    const middleware = middlewareOf(implementation)
    const place = await openPlain((req, res) =>
      middleware(req, res, () => {
        const { session } = req as unknown as Req
        session.views = (session.views ?? 0) + 1
        res.end(String(session.views))
      }),
    )
    const visitor = place.visitor()
    await visitor.get()
    expect((await visitor.get()).text).toBe('2')
  })

  test('genid that is no function is refused', () => {
    expect(make({ genid: 'abc' })).toThrow(TypeError)
  })

  test('unset that is neither keep nor destroy is refused', () => {
    expect(make({ unset: 'forget' })).toThrow(TypeError)
    for (const unset of ['keep', 'destroy']) expect(make({ unset })).not.toThrow()
  })

  test('an empty list of secrets is refused', () => {
    expect(make({ secret: [] })).toThrow(TypeError)
  })

  test('the list of secrets is left as it was', () => {
    const secret = ['new', 'old']
    make({ secret })()
    expect(secret).toEqual(['new', 'old'])
  })

  test('without a secret a visitor of express-session gets an error, ours an unsigned random id', async () => {
    ignoreDeprecations()
    const place = await openApp((app) => {
      app.use(
        implementation.session({ name: 'sid', resave: false, saveUninitialized: false, store: implementation.newStore() }),
        handle(count),
      )
    })
    const { status, lines } = await place.get()
    if (implementation.isReference) {
      expect([status, String(place.errors[0])]).toEqual([500, 'Error: secret option required for sessions'])
    } else {
      expect(status).toBe(200)
      expect(lines.join()).toMatch(/^sid=[\w-]{43};/)
    }
  })

  test('resave and saveUninitialized stand by default, in ours they do not', async () => {
    ignoreDeprecations()
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, resave: undefined, saveUninitialized: undefined }, writeAtWrite)
    expect((await place.get()).cookie === undefined).toBe(!implementation.isReference)
    expect(calls.filter((call) => call === 'set')).toHaveLength(implementation.isReference ? 1 : 0)
  })

  test('a visitor has an id of at least 24 random bytes that nobody else has', async () => {
    const place = await open(implementation, {}, count)
    const ids = await Promise.all(Array.from({ length: 20 }, async () => idIn((await place.get()).cookie)))
    expect(new Set(ids).size).toBe(20)
    for (const id of ids) expect(id).toMatch(/^[\w-]{32,}$/)
  })

  test('a visitor has the id that genid makes, which may look at the request', async () => {
    const store = homeMade(implementation)
    let n = 0
    const genid = (req: Req) => `${String(req.headers['x-town'])}.no-${++n}|ü/+`
    const place = await open(implementation, { store, genid }, count)
    const visitor = place.visitor()
    const first = await visitor.get('/', { headers: { 'x-town': 'Ghent' } })
    expect(idIn(first.cookie)).toBe('Ghent.no-1|ü/+')
    expect((await visitor.get()).text).toBe('2')
    expect([...store.rows.keys()]).toEqual(['Ghent.no-1|ü/+'])
  })

  test('a new id of genid is asked for at regenerate', async () => {
    let n = 0
    const place = await open(implementation, { genid: () => `visitor-number-${++n}-of-this-internals` }, (req, res, next) => {
      req.session.views = 1
      if (req.path === '/') return void res.send(req.sessionID)
      req.session.regenerate((error) => (error ? next(error) : res.send(req.sessionID)))
    })
    const visitor = place.visitor()
    expect((await visitor.get()).text).toBe('visitor-number-1-of-this-internals')
    expect((await visitor.get('/again')).text).toBe('visitor-number-2-of-this-internals')
  })

  test('an id that is no text makes neither a cookie nor a row', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, genid: () => 17, saveUninitialized: true }, (req, res) => {
      req.session.views = 1
      res.send('came through')
    })
    const { cookie } = await place.get()
    expect(cookie).toBeUndefined()
    expect(calls).not.toContain('set')
  })

  test.each([
    ['a text', () => SECRET],
    ['a buffer', () => Buffer.from(SECRET)],
    ['an array of bytes', () => new TextEncoder().encode(SECRET)],
    ['a key of node:crypto', () => createSecretKey(Buffer.from(SECRET))],
    ['a list with them', () => [createSecretKey(Buffer.from(SECRET)), Buffer.from('older')]],
  ])('the secret signs, whatever createHmac takes: %s', async (_what, secret) => {
    const place = await open(implementation, { secret: secret() }, count)
    const visitor = place.visitor()
    const { cookie } = await visitor.get()
    expect(cookie?.value).toBe(signed(idIn(cookie), SECRET))
    expect((await visitor.get()).text).toBe('2')
  })

  test('of several secrets the first signs and all are accepted', async () => {
    const store = implementation.newStore()
    const before = await open(implementation, { store, secret: 'old' }, count)
    const visitor = before.visitor()
    const id = idIn((await visitor.get()).cookie)
    const after = await open(implementation, { store, secret: ['new', 'old'] }, count)
    expect((await after.get('/', { cookie: `connect.sid=${signed(id, 'old')}` })).text).toBe('2')
    expect((await after.get('/', { cookie: `connect.sid=${signed(id, 'new')}` })).text).toBe('3')
    expect((await after.get('/', { cookie: `connect.sid=${signed(id, 'other')}` })).text).toBe('1')
    const fresh = await after.get()
    expect(fresh.cookie?.value).toBe(signed(idIn(fresh.cookie), 'new'))
  })

  test('a cookie that was signed with the older secret is signed with the newer where it is set again', async () => {
    const store = implementation.newStore()
    const visitor = (await open(implementation, { store, secret: 'old' }, count)).visitor()
    const id = idIn((await visitor.get()).cookie)
    const after = await open(implementation, { store, secret: ['new', 'old'], rolling: true }, count)
    const answer = await after.get('/', { cookie: visitor.cookie })
    expect(answer.text).toBe('2')
    expect(answer.cookie?.value).toBe(signed(id, 'new'))
  })

  test('a visitor with a cookie that was tampered with begins anew', async () => {
    const place = await open(implementation, {}, count)
    const visitor = place.visitor()
    const id = idIn((await visitor.get()).cookie)
    const right = signed(id, SECRET)
    const wrong = [
      right.slice(0, -1) + (right.endsWith('A') ? 'B' : 'A'),
      signed(`${id}x`, SECRET).replace(`${id}x`, id),
      id,
      encodeURIComponent(`s:${id}`),
      encodeURIComponent(`s:${id}.`),
      right.replace('s%3A', ''),
      's%3A',
      '%ZZ',
      '',
    ]
    for (const value of wrong) {
      const answer = await place.get('/', { cookie: `connect.sid=${value}` })
      expect([value, answer.status, answer.text]).toEqual([value, 200, '1'])
      expect(idIn(answer.cookie)).not.toBe(id)
    }
    expect((await place.get('/', { cookie: `connect.sid=${right}` })).text).toBe('2')
  })

  test('a visitor with the signed id of a session that is gone gets a new id', async () => {
    const place = await open(implementation, {}, count)
    const id = 'a-session-that-was-never-here-01'
    const answer = await place.get('/', { cookie: `connect.sid=${signed(id, SECRET)}` })
    expect(answer.text).toBe('1')
    expect(idIn(answer.cookie)).not.toBe(id)
  })

  test('cookies and the secret that cookie-parser left on the request are read, in ours they are not', async () => {
    ignoreDeprecations()
    const store = implementation.newStore()
    const visitor = (await open(implementation, { store }, count)).visitor()
    const { cookie } = await visitor.get()
    const left = [
      { signedCookies: { 'connect.sid': idIn(cookie) } },
      { cookies: { 'connect.sid': decodeURIComponent(cookie?.value ?? '') } },
      { secret: SECRET, signedCookies: { 'connect.sid': idIn(cookie) } },
    ]
    const read: string[] = []
    for (const parsed of left) {
      const place = await openApp((app) => {
        app.use((req, _res, next) => next(Object.assign(req, parsed) && undefined))
        const { secret, ...unsigned } = withDefaults(implementation, { store })
        app.use(implementation.session('secret' in parsed ? unsigned : { ...unsigned, secret }), handle(count))
      })
      read.push((await place.get()).text)
    }
    expect(read).toEqual(implementation.isReference ? ['2', '3', '4'] : ['1', '1', '1'])
  })
})
