// The engine over real HTTP: when a session begins, continues and ends.
import { createServer } from 'node:http'
import { MemoryStore } from 'guildhall/session'
import { describe, expect, test, vi } from 'vitest'
import { digest, newToken } from '../../src/domain/secret.ts'
import { Sessions } from '../../src/session/request/middleware.ts'
import { Session } from '../../src/session/request/session.ts'
import {
  ADA,
  application,
  Browser,
  COOKIE,
  countingStore,
  HandClock,
  LIMITS,
  laterStore,
  MINUTE,
  namesOf,
  STORES,
  send,
} from './support.ts'

function count(app: import('express').Express): void {
  app.get('/', (_req, res) => {
    res.json({ ok: true })
  })
  app.get('/count', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json(req.session.views)
  })
  app.get('/look', (req, res) => {
    res.json(req.session.views ?? 'nothing')
  })
}

describe.each(STORES)('sessions in %s', (_name, makeStore) => {
  test('a visitor is counted from request to request', async () => {
    const { url } = await application(count, { store: makeStore() })
    const browser = new Browser(url)
    expect((await browser.get('/count')).text).toBe('1')
    expect((await browser.get('/count')).text).toBe('2')
    const third = await browser.get('/count')
    expect(third.text).toBe('3')
    expect(third.setCookies).toEqual([])
  })

  test('D-02 D-04 a login has a new id, the presented one is dead, and anonymous data is gone but for the listed keys', async () => {
    const { url, store } = await application(
      (app, sessions) => {
        count(app)
        app.get('/fill', (req, res) => {
          req.session.cart = ['x']
          req.session.views = 7
          res.end()
        })
        app.get('/login', async (req, res) => {
          const row = await sessions.renew(req, { ...ADA, authenticatedAt: 1, keep: ['cart', 'save'] })
          res.json({ ...row, same: sessions.row(req) === row, cart: req.session.cart, views: req.session.views ?? null })
        })
        app.get('/who', (req, res) => {
          res.json(sessions.row(req)?.userId ?? 'nobody')
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/fill')
    const presented = browser.cookie
    const login = await browser.get('/login')
    expect(JSON.parse(login.text)).toMatchObject({ userId: 'ada', factors: 'password', same: true, cart: ['x'], views: null })
    expect(browser.cookie).not.toBe(presented)
    expect((await browser.get('/who')).text).toBe('"ada"')
    expect((await browser.get('/look')).text).toBe('"nothing"')
    expect((await send(`${url}/who`, { cookie: presented ?? '' })).text).toBe('"nobody"')
    expect(await store.find(digest(presented?.split('=')[1] ?? ''))).toBeUndefined()
  })

  test('D-20 a logout deletes the row and clears the cookie with the same attributes, as often as asked', async () => {
    const { url, store } = await application(
      (app, sessions) => {
        count(app)
        app.get('/logout', async (req, res) => {
          await sessions.end(req)
          res.json(req.session ?? 'no session')
        })
      },
      { store: makeStore(), cookie: { ...COOKIE, domain: 'example.org', path: '/', secure: true } },
    )
    const browser = new Browser(url)
    const [given = ''] = (await browser.get('/count')).setCookies
    const saved = browser.cookie ?? ''
    const logout = await browser.get('/logout')
    expect(logout.text).toBe('"no session"')
    const [, ...attributes] = given.split('; ')
    const cleared = `=; ${attributes.join('; ')}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`
    expect(logout.setCookies).toEqual([`sid${cleared}`, `sid-seen${cleared.replace('SameSite=Strict', 'SameSite=Lax')}`])
    expect(await store.find(digest(saved.split('=')[1] ?? ''))).toBeUndefined()
    expect((await send(`${url}/look`, { cookie: saved })).text).toBe('"nothing"')
    expect((await send(`${url}/logout`, { cookie: saved })).status).toBe(200)
    expect((await send(`${url}/logout`)).status).toBe(200)
  })

  test('destroy ends the session; req.session is undefined afterwards', async () => {
    const { url } = await application(
      (app) => {
        count(app)
        app.get('/destroy', (req, res, next) => {
          req.session.destroy((error) => (error ? next(error) : res.json({ session: req.session ?? null })))
        })
        app.get('/null', (req, res) => {
          Reflect.set(req, 'session', null)
          res.json({ session: req.session ?? null })
        })
      },
      { store: makeStore() },
    )
    for (const path of ['/destroy', '/null']) {
      const browser = new Browser(url)
      await browser.get('/count')
      const old = browser.cookie ?? ''
      expect(JSON.parse((await browser.get(path)).text)).toEqual({ session: null })
      expect(browser.cookie).toBeUndefined()
      expect((await send(`${url}/look`, { cookie: old })).text).toBe('"nothing"')
    }
  })

  test('D-03 regenerate gives a new id and an empty session without the login, and the old id is dead', async () => {
    const { url } = await application(
      (app, sessions) => {
        count(app)
        app.get('/login', async (req, res) => {
          await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
          req.session.views = 5
          res.end()
        })
        app.get('/regenerate', (req, res, next) => {
          const before = req.sessionID
          req.session.regenerate((error) => {
            if (error) return next(error)
            const { views } = req.session
            req.session.cart = 'new'
            res.json({ views: views ?? null, changed: before !== req.sessionID, user: sessions.row(req)?.userId ?? null })
          })
        })
        app.get('/empty', async (req, res) => {
          await req.session.regenerate()
          res.end()
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/login')
    const old = browser.cookie ?? ''
    const answer = await browser.get('/regenerate')
    expect(JSON.parse(answer.text)).toEqual({ views: null, changed: true, user: null })
    expect(namesOf(answer.setCookies)).toEqual(['sid', 'sid-seen'])
    expect(browser.cookie).not.toBe(old)
    expect((await send(`${url}/look`, { cookie: old })).text).toBe('"nothing"')
    const second = browser.cookie ?? ''
    await browser.get('/empty')
    expect(browser.cookie).toMatch(/^sid=[\w-]{43}$/)
    expect(browser.cookie).not.toBe(second)
    expect((await browser.get('/look')).text).toBe('"nothing"')
  })

  test('save stores now, reload drops what was not saved, touch marks as seen', async () => {
    const { url, store, clock } = await application(
      (app) => {
        count(app)
        app.get('/save', async (req, res) => {
          req.session.views = 10
          await req.session.save()
          const stored = (await store.find(digest(req.sessionID)))?.data
          req.session.views = 11
          req.session.cart = 1
          await req.session.reload()
          res.json({ stored, views: req.session.views, cart: req.session.cart ?? null })
        })
        app.get('/touch', (req, res) => {
          clock.forward(1000)
          req.session.touch(() => {
            void Promise.resolve(store.find(digest(req.sessionID))).then((row) => res.json(row?.lastSeenAt === clock.now()))
          })
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    expect(JSON.parse((await browser.get('/save')).text)).toEqual({ stored: '{"views":"10"}', views: 10, cart: null })
    expect((await browser.get('/touch')).text).toBe('true')
  })

  test('D-23 parallel requests that write different keys lose nothing', async () => {
    const { url, store } = await application(
      (app) => {
        count(app)
        app.get('/set/:key', (req, res) => {
          Reflect.set(req.session, `x${req.params.key}`, 1)
          setImmediate(() => res.end())
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/count')
    await Promise.all(Array.from({ length: 40 }, (_, n) => browser.get(`/set/${n}`)))
    const row = await store.find(digest(browser.id))
    expect(Object.keys(JSON.parse(row?.data ?? '{}'))).toHaveLength(41)
  })
})

describe('a session', () => {
  test('D-07 does not begin with a visit that stores nothing: no cookie, no row, no read', async () => {
    const { store, calls } = countingStore()
    const { url } = await application(count, { store })
    for (let n = 0; n < 200; n++) expect((await send(`${url}/${n % 2 ? '' : 'look'}`)).setCookies).toEqual([])
    expect(calls).toEqual([])
  })

  test('D-06 ten thousand unknown ids make no row', async () => {
    const store = new MemoryStore()
    const sessions = new Sessions({ store, cookie: COOKIE, limits: LIMITS, clock: new HandClock() })
    const server = createServer()
    for (let n = 0; n < 10_000; n++) {
      const req = Object.assign(Object.create(server), { headers: { cookie: `sid=${newToken()}` } })
      expect(sessions.read(req)).toBeUndefined()
    }
    const { url } = await application(count, { store })
    for (let n = 0; n < 100; n++) await send(`${url}/look`, { cookie: `sid=${newToken()}` })
    expect(store.size).toBe(0)
    await sessions.close()
  })

  test('D-05 never takes an id that the client chose', async () => {
    const { url, store } = await application(count)
    const chosen = newToken()
    const answer = await send(`${url}/count`, { cookie: `sid=${chosen}` })
    expect(namesOf(answer.setCookies)).toEqual(['sid', 'sid-seen'])
    expect(answer.setCookies[0]).not.toContain(chosen)
    expect(await store.find(digest(chosen))).toBeUndefined()
  })

  test('D-16 a stolen row is no cookie', async () => {
    const { url, store } = await application((app, sessions) => {
      count(app)
      app.get('/login', async (req, res) => {
        const { hash, publicId } = await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
        req.session.views = 1
        res.json([hash, publicId])
      })
    })
    const stolen: string[] = JSON.parse((await send(`${url}/login`)).text)
    expect(await store.listByUser('ada')).toHaveLength(1)
    for (const value of stolen) expect((await send(`${url}/look`, { cookie: `sid=${value}` })).text).toBe('"nothing"')
  })

  test('D-17 ends when nobody comes for the idle timeout, never early', async () => {
    const { url, clock } = await application(count)
    const browser = new Browser(url)
    await browser.get('/count')
    clock.forward(15 * MINUTE - 1000)
    expect((await browser.get('/look')).text).toBe('1')
    clock.forward(15 * MINUTE - 1000)
    expect((await browser.get('/look')).text).toBe('1')
    clock.forward(16 * MINUTE + 1000)
    expect((await browser.get('/look')).text).toBe('"nothing"')
  })

  test('D-18 ends at the absolute timeout, however busy', async () => {
    const { url, clock } = await application(count)
    const browser = new Browser(url)
    await browser.get('/count')
    for (let minute = 0; minute < 12 * 60 - 1; minute += 10) {
      expect((await browser.get('/look')).text).toBe('1')
      clock.forward(10 * MINUTE)
    }
    clock.forward(1000)
    expect((await browser.get('/look')).text).toBe('"nothing"')
  })

  test('is marked as seen at most once per interval, however many requests come at once', async () => {
    const { store, calls } = countingStore(laterStore(new MemoryStore()))
    const { url, clock } = await application(count, { store })
    const browser = new Browser(url)
    await browser.get('/count')
    await browser.get('/look')
    expect(calls.filter((call) => call === 'touch')).toHaveLength(0)
    clock.forward(MINUTE)
    await Promise.all(Array.from({ length: 50 }, () => browser.get('/look')))
    expect(calls.filter((call) => call === 'touch')).toHaveLength(1)
    clock.forward(MINUTE)
    await browser.get('/look')
    expect(calls.filter((call) => call === 'touch')).toHaveLength(2)
    expect(calls.filter((call) => call === 'update')).toHaveLength(0)
  })

  test('is served although it could not be marked as seen', async () => {
    const errors: unknown[] = []
    const failing = (): never => {
      throw new Error('disk full')
    }
    for (const fail of [failing, async () => failing()]) {
      const store = new MemoryStore()
      const { url, clock } = await application(count, { store, onError: (error, step) => errors.push([step, String(error)]) })
      const browser = new Browser(url)
      await browser.get('/count')
      Object.assign(store, { touch: fail })
      clock.forward(2 * MINUTE)
      expect((await browser.get('/look')).text).toBe('1')
    }
    expect(errors).toEqual([
      ['touch', 'Error: disk full'],
      ['touch', 'Error: disk full'],
    ])
  })

  test('is an error, not an anonymous visitor, where the store fails', async () => {
    for (const makeStore of [() => new MemoryStore(), () => laterStore(new MemoryStore())]) {
      const store = makeStore()
      const { url } = await application(count, { store })
      const browser = new Browser(url)
      await browser.get('/count')
      Object.assign(store, {
        find() {
          throw new Error('no database')
        },
      })
      const answer = await browser.get('/look')
      expect(answer.status).toBe(500)
      expect(JSON.parse(answer.text)).toEqual({ failed: 'no database' })
      expect(answer.setCookies).toEqual([])
    }
  })

  test('is judged by the host: a row that is not accepted is nobody, and is left alone', async () => {
    let accepted = true
    const { url, store } = await application(count, { judge: () => accepted })
    const browser = new Browser(url)
    await browser.get('/count')
    accepted = false
    const answer = await browser.get('/look')
    expect(answer.text).toBe('"nothing"')
    expect(answer.setCookies).toEqual([])
    expect(await store.find(digest(browser.id))).toBeDefined()
  })

  test('does not begin with a request from another site that could not bring its cookie', async () => {
    const strange = { 'sec-fetch-site': 'cross-site' }
    const { url, store } = await application((app, sessions) => {
      count(app)
      app.get('/logout', async (req, res) => {
        await sessions.end(req)
        res.end()
      })
    })
    const answer = await send(`${url}/count`, { headers: strange })
    expect(answer.text).toBe('1')
    expect(answer.setCookies).toEqual([])
    expect((await send(`${url}/logout`, { headers: strange })).setCookies).toEqual([])
    expect(store).toHaveProperty('size', 0)
    const browser = new Browser(url)
    await browser.get('/count')
    expect((await browser.get('/count', { headers: strange })).text).toBe('2')
    const open = await application(count, { cookie: { ...COOKIE, sameSite: 'none', secure: true } })
    expect((await send(`${open.url}/count`, { headers: strange })).setCookies).toHaveLength(1)
  })

  test('can be read without a response, for an upgrade request', async () => {
    const { url, sessions } = await application(count)
    const browser = new Browser(url)
    await browser.get('/count')
    const upgrade = Object.assign(Object.create(createServer()), { headers: { cookie: browser.cookie } })
    expect(await sessions.read(upgrade)).toMatchObject({ data: '{"views":"1"}' })
  })

  test('lends its row to a subclass, whose getters no stored key can cover', async () => {
    class Member extends Session {
      get isLoggedIn(): boolean {
        return Member.rowOf(this)?.userId !== undefined
      }
      set isLoggedIn(_value: unknown) {
        throw new TypeError('use req.login')
      }
    }
    const { url, store } = await application(
      (app, sessions) => {
        app.get('/login', async (req, res) => {
          const { hash } = await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
          await store.update(hash, { isLoggedIn: '"covered"' })
          res.end()
        })
        app.get('/who', (req, res) => {
          res.json(Reflect.get(req.session, 'isLoggedIn'))
        })
        app.get('/assign', (req, res) => {
          Object.assign(req.session, { isLoggedIn: true })
          res.end()
        })
      },
      { SessionClass: Member },
    )
    const browser = new Browser(url)
    expect((await browser.get('/who')).text).toBe('false')
    expect((await browser.get('/assign')).text).toContain('use req.login')
    await browser.get('/login')
    expect((await browser.get('/who')).text).toBe('true')
  })
})

describe('the middleware', () => {
  test('passes a request on that it has seen', async () => {
    const { store, calls } = countingStore()
    const { url } = await application(
      (app, sessions) => {
        app.use(sessions.handle)
        count(app)
      },
      { store },
    )
    const browser = new Browser(url)
    await browser.get('/count')
    calls.length = 0
    expect((await browser.get('/look')).text).toBe('1')
    expect(calls).toEqual(['find'])
  })

  test('refuses a second session middleware, and says what to do', async () => {
    const other = new Sessions({ store: new MemoryStore(), cookie: COOKIE, limits: LIMITS, clock: new HandClock() })
    const { url } = await application((app) => {
      app.use(other.handle)
      count(app)
    })
    expect((await send(`${url}/look`)).text).toContain('use one session middleware only')
    await other.close()
  })

  test('refuses a login where it is not in front', async () => {
    const { sessions } = await application(count)
    const req = Object.assign(Object.create(createServer()), { headers: {} })
    expect(() => sessions.renew(req, { ...ADA, authenticatedAt: 1 })).toThrow('put the session middleware in front')
    expect(sessions.row(req)).toBeUndefined()
    expect(sessions.handled(req)).toBe(false)
  })

  test('refuses to replace req.session', async () => {
    const { url } = await application((app) => {
      app.get('/', (req, res) => {
        Reflect.set(req, 'session', {})
        res.end()
      })
    })
    expect((await send(url)).text).toContain('req.session cannot be replaced')
  })

  test('deletes expired sessions in bounded batches, and reports a cleanup that fails', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const asked: number[] = []
      const left = [Number.MAX_VALUE, Number.MAX_VALUE, 3]
      const store = new MemoryStore()
      Object.assign(store, {
        deleteExpired(_now: number, limit: number) {
          asked.push(limit)
          const swept = left.shift()
          if (swept === undefined) throw new Error('locked')
          return swept
        },
      })
      const errors: unknown[] = []
      const onError = (error: unknown, step: string) => errors.push([step, String(error)])
      const sessions = new Sessions({ store, cookie: COOKIE, limits: LIMITS, clock: new HandClock(), onError })
      await vi.advanceTimersByTimeAsync(76_000)
      await vi.waitFor(() => expect(asked).toHaveLength(3), { timeout: 60_000 })
      expect(asked[0]).toBe(50)
      expect(asked.every((limit) => limit >= 10 && limit <= 1000)).toBe(true)
      await vi.advanceTimersByTimeAsync(76_000)
      await vi.waitFor(() => expect(errors).toEqual([['cleanup', 'Error: locked']]), { timeout: 60_000 })
      await sessions.close()
      await vi.advanceTimersByTimeAsync(300_000)
      expect(asked).toHaveLength(4)
    } finally {
      vi.useRealTimers()
    }
  })
})
