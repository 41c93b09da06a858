// What can be kept in req.session, and how a change of it is noticed.
import { MemoryStore } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'
import { describe, expect, test } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { Session } from '../../src/session/request/session.ts'
import { application, Browser, countingStore, send } from './support.ts'

type Step = (session: Record<string, unknown>) => unknown

/** An app whose next request runs a given function on its session. */
async function sessionApp(makeStore = () => countingStore()) {
  const { store, calls } = makeStore()
  let step: Step = () => undefined
  const { url } = await application(
    (app) => {
      app.get('/', (req, res) => {
        const session: unknown = req.session
        const seen = step(session as Record<string, unknown>)
        res.json(seen ?? null)
      })
    },
    { store },
  )
  const browser = new Browser(url)
  return {
    calls,
    async run(next: Step) {
      step = next
      calls.length = 0
      return browser.get('/')
    },
    async data() {
      const row = await store.find(digest(browser.id))
      return row && JSON.parse(row.data)
    },
  }
}

describe('a change', () => {
  test('is noticed per key: only what changed is written, deep changes too', async () => {
    const { run, data, calls } = await sessionApp()
    await run((s) => Object.assign(s, { a: 1, b: { deep: [1] }, c: 'x' }))
    expect(calls).toEqual(['create'])
    await run((s) => [s.a, s.b, s.c])
    expect(calls).toEqual(['find'])
    await run((s) => (s.b as { deep: number[] }).deep.push(2))
    expect(calls).toEqual(['find', 'update'])
    expect(await data()).toEqual({ a: '1', b: '{"deep":[1,2]}', c: '"x"' })
    await run((s) => Object.assign(s, { a: 1, c: 'x' }))
    expect(calls).toEqual(['find'])
  })

  test('takes a key out with delete and with undefined', async () => {
    const { run, data } = await sessionApp()
    await run((s) => Object.assign(s, { a: 1, b: 2, c: undefined, d: null }))
    await run((s) => {
      delete s.a
      s.b = undefined
    })
    expect(await data()).toEqual({ d: 'null' })
    await run((s) => {
      delete s.d
    })
    expect(await data()).toEqual({})
  })

  test('honours toJSON: a Date comes back as its text', async () => {
    const { run } = await sessionApp()
    await run((s) => {
      s.at = new Date(0)
      s.own = { toJSON: () => ({ x: 1 }) }
      s.none = { toJSON: () => undefined }
    })
    expect((await run((s) => [s.at, s.own, 'none' in s])).text).toBe('["1970-01-01T00:00:00.000Z",{"x":1},false]')
  })

  test('that JSON would lose is refused with the name of its key, and nothing is written', async () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    const refused = { function: () => 1, symbol: Symbol('s'), bigint: 1n, NaN: Number.NaN, Infinity: -1 / 0, cycle }
    for (const [name, value] of Object.entries(refused)) {
      for (const wrong of [value, { deep: [value] }]) {
        const { run, calls } = await sessionApp()
        const answer = await run((s) => void Object.assign(s, { good: 1, [name]: wrong }))
        expect(answer.status).toBe(500)
        expect(answer.text).toContain(`req.session[\\"${name}\\"] cannot be stored as JSON`)
        expect(answer.setCookies).toEqual([])
        expect(calls).toEqual([])
      }
    }
    const { run } = await sessionApp()
    expect((await run((s) => Object.assign(s, { 'a\0b': 1 }))).text).toContain('cannot be a key')
    expect((await run((s) => Object.assign(s, { '\ud800': 1 }))).text).toContain('cannot be a key')
  })
})

describe('keys', () => {
  test.each([
    ['memory', () => new MemoryStore()],
    ['SQLite', () => new SqliteStore({ path: ':memory:' })],
  ])('D-30 __proto__, constructor and prototype are plain data in %s and pollute nothing', async (_name, makeStore) => {
    const { run, data } = await sessionApp(() => countingStore(makeStore()))
    const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
    await run((s) => {
      for (const key of keys) s[key] = { polluted: key }
    })
    expect(Object.keys(await data()).toSorted()).toEqual(keys.toSorted())
    const answer = await run((s) =>
      keys.map((key) => [Object.hasOwn(s, key), s[key], Object.getPrototypeOf(s) === Session.prototype]),
    )
    expect(JSON.parse(answer.text)).toEqual(keys.map((key) => [true, { polluted: key }, true]))
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    await run((s) => {
      for (const key of keys) Reflect.set(s, key, { polluted: 'again' })
      delete s.prototype
    })
    const again = JSON.parse((await run((s) => keys.map((key) => s[key] ?? null))).text)
    expect(again).toEqual(keys.map((key) => (key === 'prototype' ? null : { polluted: 'again' })))
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Reflect.get(Session.prototype, 'polluted')).toBeUndefined()
  })

  test('D-30 two steps by names that an attacker chose reach no prototype', async () => {
    const { run } = await sessionApp()
    await run((s) => {
      for (const path of [
        ['__proto__', 'polluted'],
        ['constructor', 'prototype', 'polluted'],
      ]) {
        expect(() => {
          let at: Record<string, unknown> = s
          for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
          at.polluted = true
        }).toThrow(TypeError)
      }
    })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Reflect.get(Session.prototype, 'polluted')).toBeUndefined()
  })

  test('D-30 the names of the session itself cannot be assigned, nor defined', async () => {
    for (const name of ['id', 'cookie', 'regenerate', 'destroy', 'save', 'reload', 'touch']) {
      const { run } = await sessionApp()
      expect((await run((s) => Object.assign(s, { [name]: 1 }))).text).toContain(
        `req.session.${name} belongs to the session itself`,
      )
      const define = (s: object) => Object.defineProperty(s, name, { value: 1, enumerable: true })
      expect((await run((s) => void define(s))).text).toContain(`req.session.${name} belongs to the session itself`)
    }
  })

  test('are all there is to see: a session is plain data to Object.keys, JSON and for...in', async () => {
    const { run } = await sessionApp()
    const answer = await run((s) => {
      s.a = 1
      const names: string[] = []
      for (const name in s) names.push(name)
      return [Object.keys(s), JSON.stringify(s), names, Reflect.ownKeys(s)]
    })
    expect(JSON.parse(answer.text)).toEqual([['a'], '{"a":1}', ['a'], ['a']])
  })
})

test('the cookie of a session can be read and not changed where the settings decide it', async () => {
  const { url } = await application((app) => {
    app.get('/', (req, res) => {
      expect(() => Object.assign(req.session.cookie, { maxAge: 1 })).toThrow(TypeError)
      expect(() => Object.assign(req.session.cookie, { path: '/elsewhere' })).toThrow(TypeError)
      res.json(req.session.cookie)
    })
  })
  expect(JSON.parse((await send(url)).text)).toEqual({
    path: '/',
    httpOnly: true,
    secure: false,
    sameSite: 'strict',
    originalMaxAge: null,
    expires: null,
  })
})

test('somebody whose session has the key " keeps it, though others have a key that V8 mistakes it for', async () => {
  const { run } = await sessionApp(() => ({ store: new SqliteStore({ path: ':memory:' }), calls: [] }))
  // https://github.com/nodejs/node/issues/63785: from here on V8 reads `{"a":"1","\\"":"2"}` as one that has a backslash for a key.
  JSON.parse('{"a":"1","\\\\":"2"}')
  await run((s) => void Object.assign(s, { a: 1, '"': 2 }))
  expect(JSON.parse((await run((s) => Object.entries(s))).text)).toEqual([
    ['a', 1],
    ['"', 2],
  ])
})
