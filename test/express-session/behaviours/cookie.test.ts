// The session cookie: each of its options, as an object and as a function of the request.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { forEachImplementation, type Implementation, type Options } from '../implementations.ts'
import {
  count,
  HOUR,
  handClock,
  handle,
  idIn,
  ignoreDeprecations,
  lifetime,
  MINUTE,
  middlewareOf,
  type OpenApp,
  open,
  openApp,
  SECRET,
  START,
} from '../support.ts'

/** The defaults of express-session. */
const PLAIN = { secure: false, sameSite: false }
const HTTPS = { 'x-forwarded-proto': 'https' }

const counting = (implementation: Implementation, cookie: unknown, more: Options = {}) =>
  open(implementation, { cookie, ...more }, count)

async function attributes(place: Promise<OpenApp>, headers: Record<string, string> = {}): Promise<ReadonlyMap<string, string>> {
  const { cookie } = await (await place).get('/', { headers })
  if (cookie === undefined) throw new Error('no cookie was set')
  return cookie.attributes
}

forEachImplementation('the cookie', (implementation) => {
  test('a visitor gets a cookie for the whole site that scripts cannot read and that goes with the browser', async () => {
    const found = await attributes(counting(implementation, undefined))
    expect(found.get('path')).toBe('/')
    expect(found.has('httponly')).toBe(true)
    expect(found.has('secure')).toBe(false)
    for (const name of ['expires', 'max-age', 'domain', 'partitioned', 'priority']) expect(found.has(name)).toBe(false)
    // On purpose: a cookie that other sites cannot send along.
    expect(found.get('samesite')).toBe(implementation.isReference ? undefined : 'Strict')
  })

  test('a visitor gets a cookie for the domain that was asked for', async () => {
    expect((await attributes(counting(implementation, { ...PLAIN, domain: 'example.org' }))).get('domain')).toBe('example.org')
  })

  test('a visitor gets a cookie for the path that was asked for', async () => {
    const place = await counting(implementation, { ...PLAIN, path: '/admin' })
    expect((await place.get('/admin')).cookie?.attributes.get('path')).toBe('/admin')
  })

  test('a visitor gets a cookie that scripts can read where httpOnly is false', async () => {
    expect((await attributes(counting(implementation, { ...PLAIN, httpOnly: false }))).has('httponly')).toBe(false)
  })

  test('a visitor gets a cookie that expires when maxAge has passed', async () => {
    handClock()
    const { cookie } = await (await counting(implementation, { ...PLAIN, maxAge: HOUR })).get()
    expect(lifetime(cookie)).toBe(HOUR)
  })

  test('a visitor gets a cookie that expires at the date that was asked for', async () => {
    handClock()
    const expires = new Date(START + 2 * HOUR)
    const { cookie } = await (await counting(implementation, { ...PLAIN, expires })).get()
    expect(lifetime(cookie)).toBe(2 * HOUR)
  })

  test('of maxAge and expires the one that is written last counts', async () => {
    handClock()
    const expires = new Date(START + 2 * HOUR)
    expect(lifetime((await (await counting(implementation, { expires, maxAge: HOUR })).get()).cookie)).toBe(HOUR)
    expect(lifetime((await (await counting(implementation, { maxAge: HOUR, expires })).get()).cookie)).toBe(2 * HOUR)
  })

  test('a maxAge of null makes a cookie that goes with the browser', async () => {
    expect((await attributes(counting(implementation, { ...PLAIN, maxAge: null }))).has('expires')).toBe(false)
  })

  test('a maxAge with a fraction makes a cookie that browsers understand', async () => {
    handClock()
    const { cookie } = await (await counting(implementation, { ...PLAIN, maxAge: HOUR + 0.5 })).get()
    expect(lifetime(cookie)).toBe(HOUR)
    expect(cookie?.attributes.get('max-age') ?? '0').toMatch(/^\d+$/)
  })

  test('a visitor gets a partitioned cookie where it was asked for', async () => {
    const found = await attributes(counting(implementation, { secure: 'auto', partitioned: true }, { proxy: true }), HTTPS)
    expect(found.has('partitioned')).toBe(true)
  })

  test.each([
    ['low', 'Low'],
    ['medium', 'Medium'],
    ['high', 'High'],
  ])('a visitor gets a cookie of the priority that was asked for: %s', async (priority, written) => {
    expect((await attributes(counting(implementation, { ...PLAIN, priority }))).get('priority')).toBe(written)
  })

  test.each([
    [true, 'Strict'],
    ['strict', 'Strict'],
    ['lax', 'Lax'],
    [false, undefined],
  ])('a visitor gets the SameSite that was asked for: %s', async (sameSite, written) => {
    expect((await attributes(counting(implementation, { sameSite }))).get('samesite')).toBe(written)
  })

  test('a visitor over HTTPS gets a cookie for all sites where sameSite is none', async () => {
    const place = counting(implementation, { secure: true, sameSite: 'none' }, { proxy: true })
    const found = await attributes(place, HTTPS)
    expect(found.get('samesite')).toBe('None')
    expect(found.has('secure')).toBe(true)
  })

  test('sameSite auto means None over HTTPS and Lax over HTTP', async () => {
    const place = counting(implementation, { secure: 'auto', sameSite: 'auto' }, { proxy: true })
    expect((await attributes(place, HTTPS)).get('samesite')).toBe('None')
    expect((await attributes(place)).get('samesite')).toBe('Lax')
  })

  test('secure auto is as secure as the request', async () => {
    const place = counting(implementation, { secure: 'auto' }, { proxy: true })
    expect((await attributes(place, HTTPS)).has('secure')).toBe(true)
    expect((await attributes(place)).has('secure')).toBe(false)
  })

  test('a visitor over HTTP gets no cookie where secure is true', async () => {
    const place = await counting(implementation, { secure: true })
    const answer = await place.get()
    expect(answer.text).toBe('1')
    expect(answer.lines).toEqual([])
  })

  test('the cookie can be decided for each request', async () => {
    handClock()
    const seen: string[] = []
    const cookie = (req: { url: string }) => {
      seen.push(req.url)
      return { ...PLAIN, maxAge: req.url === '/long' ? HOUR : MINUTE, httpOnly: req.url === '/long' }
    }
    const place = await counting(implementation, cookie)
    const long = (await place.get('/long')).cookie
    const short = (await place.get('/short')).cookie
    expect([lifetime(long), lifetime(short)]).toEqual([HOUR, MINUTE])
    expect([long, short].map((one) => one?.attributes.has('httponly'))).toEqual([true, false])
    expect(new Set(seen)).toEqual(new Set(['/long', '/short']))
  })

  test('a path that is decided for each request says where the session is', async () => {
    const cookie = (req: { url: string }) => ({ ...PLAIN, path: req.url.startsWith('/admin') ? '/admin' : '/elsewhere' })
    const place = await open(implementation, { cookie }, (req, res) => {
      if (req.session) req.session.views = 1
      res.send(typeof req.session)
    })
    const inside = await place.get('/admin')
    expect([inside.text, inside.cookie?.attributes.get('path')]).toEqual(['object', '/admin'])
    expect((await place.get('/')).text).toBe('undefined')
  })

  test('the cookie holds the signed id and no data', async () => {
    const place = await open(implementation, {}, (req, res) => {
      req.session.user = 'alice'
      res.send(req.sessionID)
    })
    const { cookie, text: id } = await place.get()
    const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')
    expect(cookie?.name).toBe('connect.sid')
    expect(decodeURIComponent(cookie?.value ?? '')).toBe(`s:${id}.${signature}`)
  })

  test('the cookie has the name that was asked for, also by its older word', async () => {
    for (const word of ['name', 'key']) {
      const visitor = (await counting(implementation, PLAIN, { [word]: 'diary.sid' })).visitor()
      expect((await visitor.get()).cookie?.name).toBe('diary.sid')
      expect((await visitor.get()).text).toBe('2')
    }
  })

  test('a visitor keeps two sessions of two applications with two names', async () => {
    const place = await openApp((app) => {
      for (const name of ['one', 'two']) app.use(`/${name}`, middlewareOf(implementation, { name }), handle(count))
    })
    const visitor = place.visitor()
    for (const path of ['/one', '/one', '/two']) await visitor.get(path)
    expect([(await visitor.get('/one')).text, (await visitor.get('/two')).text]).toEqual(['3', '2'])
    expect([...visitor.jar.keys()].toSorted()).toEqual(['one', 'two'])
  })

  test('the session is found among other cookies', async () => {
    const place = await counting(implementation, PLAIN)
    const visitor = place.visitor()
    await visitor.get()
    const text = `a=1; ${visitor.cookie}; b=%7B%7D; c="quoted"`
    expect((await place.get('/', { cookie: text })).text).toBe('2')
  })

  test('cookies that the application sets go out beside the session cookie', async () => {
    for (const set of [['a=1'], ['a=1', 'b=2']]) {
      const place = await open(implementation, {}, (req, res) => {
        res.setHeader('Set-Cookie', set.length === 1 ? String(set) : [...set])
        req.session.views = 1
        res.end()
      })
      const { lines, cookie } = await place.get()
      expect(lines.filter((line) => !line.startsWith('connect.sid='))).toEqual(set)
      expect(cookie).toBeDefined()
    }
  })

  test('a list of cookies that an application shares between its answers brings nobody the session of another', async () => {
    const shared = ['a=1', 'b=2']
    const place = await open(implementation, {}, (req, res) => {
      res.setHeader('Set-Cookie', shared)
      req.session.views = 1
      res.end()
    })
    const first = await place.get()
    const second = await place.get()
    expect(second.lines.filter((line) => line.startsWith('connect.sid='))).toEqual([second.cookie?.line])
    expect(second.cookie?.value).not.toBe(first.cookie?.value)
    expect(shared).toEqual(['a=1', 'b=2'])
  })

  test('a cookie that cannot be written is an error that reaches the error handler', async () => {
    const wrong = { sameSite: 'sometimes' }
    if (implementation.isReference) {
      const place = await counting(implementation, wrong)
      await place.get()
      expect(place.errors).toEqual([expect.any(TypeError)])
    } else {
      // On purpose: the operator is told at the start, not the visitor.
      expect(() => implementation.session({ secret: SECRET, store: implementation.newStore(), cookie: wrong })).toThrow(TypeError)
      const place = await counting(implementation, () => wrong)
      await place.get()
      expect(place.errors).toEqual([expect.any(TypeError)])
    }
  })

  test('a maxAge that is no number is refused', async () => {
    expect(() => new implementation.session.Cookie({ maxAge: 'never' })).toThrow(TypeError)
    const place = await open(implementation, {}, (req) => {
      Reflect.set(req.session.cookie, 'maxAge', 'never')
    })
    await place.get()
    expect(place.errors).toEqual([expect.any(TypeError)])
    if (implementation.isReference) return
    // On purpose: here the operator is told at the start.
    expect(() =>
      implementation.session({ secret: SECRET, store: implementation.newStore(), cookie: { maxAge: 'never' } }),
    ).toThrow(TypeError)
  })

  test('a Date as maxAge is the date on which the cookie expires', () => {
    ignoreDeprecations()
    handClock()
    const cookie = new implementation.session.Cookie()
    Reflect.set(cookie, 'maxAge', new Date(START + HOUR))
    expect(cookie.expires).toEqual(new Date(START + HOUR))
    expect(cookie.maxAge).toBe(HOUR)
  })

  test('encode is not heard, in ours it writes the value of the cookie', async () => {
    const place = await counting(implementation, { ...PLAIN, encode: (value: string) => value })
    const { lines } = await place.get()
    expect(lines[0]).toMatch(implementation.isReference ? /^connect\.sid=s%3A/ : /^connect\.sid=s:/)
  })

  test('a returning visitor keeps the id of the cookie', async () => {
    const visitor = (
      await open(implementation, {}, (req, res) => {
        req.session.views = 1
        res.send(req.sessionID)
      })
    ).visitor()
    const first = await visitor.get()
    expect(idIn(first.cookie)).toBe(first.text)
    expect((await visitor.get()).text).toBe(first.text)
  })
})
