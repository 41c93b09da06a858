// The contract of session stores on a real Redis, and what a row looks like there.
import { createHash } from 'node:crypto'
import express from 'express'
import { session } from 'guildhall/session'
import { type RedisClient, RedisStore, StoreUnavailableError } from 'guildhall/session/redis'
import { sessionRow, sessionStoreSuite } from 'guildhall/testing'
import { afterEach, describe, expect, it, test } from 'vitest'
import { activeTime } from '../../src/database/timeout.ts'
import { describeOnRedis, makeRedis, openWay, type TestRedis } from '../support/redis.ts'
import { Browser, send, serve } from './support.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function storeOfTest(): Promise<TestRedis & { readonly store: RedisStore }> {
  const redis = await makeRedis()
  opened.push(redis.drop)
  return { ...redis, store: new RedisStore({ client: redis.client, prefix: redis.prefix }) }
}

describeOnRedis('Redis', () => {
  sessionStoreSuite(
    'RedisStore',
    async () => {
      const { client, prefix, drop } = await makeRedis()
      return Object.assign(new RedisStore({ client, prefix }), { close: drop })
    },
    { describe, it },
    { expiresByItself: true },
  )

  test('a session is one key that ends by itself, a minute after the session at the latest', async () => {
    const { store, client, prefix, keys } = await storeOfTest()
    const row = sessionRow({ userId: 'u1' })
    await store.create(row)
    expect((await keys()).toSorted()).toEqual([`${prefix}session:${row.hash}`, `${prefix}user:u1`])
    expect(await client.pExpireTime(`${prefix}session:${row.hash}`)).toBe(row.expiresAt + 60_000)
    expect(await client.pExpireTime(`${prefix}user:u1`)).toBe(row.endsAt + 60_000)
    await store.touch(row.hash, { lastSeenAt: row.lastSeenAt + 5, expiresAt: row.expiresAt + 5 })
    await store.touch(row.hash, { lastSeenAt: row.lastSeenAt, expiresAt: row.expiresAt })
    expect(await client.pExpireTime(`${prefix}session:${row.hash}`)).toBe(row.expiresAt + 60_005)
    await store.supersede(row.hash, row.lastSeenAt + 600_000)
    expect(await client.pExpireTime(`${prefix}session:${row.hash}`)).toBe(row.lastSeenAt + 660_000)
  })

  test('a session that may live longer takes the index of its user along', async () => {
    const { store, client, prefix } = await storeOfTest()
    const row = sessionRow({ userId: 'u1' })
    await store.create(row)
    const limits = { idleMs: 90_000_000, endsAt: row.endsAt + 90_000_000, persistent: true }
    await store.touch(row.hash, { lastSeenAt: row.lastSeenAt, expiresAt: limits.endsAt, limits })
    expect(await client.pExpireTime(`${prefix}user:u1`)).toBe(limits.endsAt + 60_000)
    expect(await store.deleteByUser('u1')).toBe(1)
  })

  test('the index names a session before it is there, and forgets it when it is gone', async () => {
    const { store, client, prefix } = await storeOfTest()
    const index = `${prefix}user:u1`
    const rows = Array.from({ length: 4 }, () => sessionRow({ userId: 'u1' }))
    for (const row of rows) await store.create(row)
    const [ended, expired, young, kept] = rows.map(({ hash }) => hash)
    await store.delete([ended ?? ''])
    await expect.poll(() => client.zRange(index, 0, -1)).not.toContain(ended)
    for (const hash of [expired, young]) await client.del(`${prefix}session:${hash}`)
    await client.zAdd(index, { score: 1, value: expired ?? '' })
    expect((await store.listByUser('u1')).map(({ hash }) => hash)).toEqual([kept])
    // The young one may be on its way: without its name, ending all sessions would miss it.
    await expect.poll(() => client.zRange(index, 0, -1)).toEqual([young, kept])
  })

  test('of 100 parallel touches, patches and one end, none brings a session back', async () => {
    const { store, keys } = await storeOfTest()
    for (let round = 0; round < 10; round++) {
      const row = sessionRow({ userId: 'u1' })
      await store.create(row)
      const seen = (n: number) => ({ lastSeenAt: row.lastSeenAt + n, expiresAt: row.expiresAt + n })
      const limits = { idleMs: 1000, endsAt: row.endsAt, persistent: true }
      const act = (n: number): Promise<boolean> => {
        if (n % 4 === 0) return store.touch(row.hash, seen(n))
        if (n % 4 === 1) return store.update(row.hash, { [`k${n}`]: '1' })
        return n % 4 === 2 ? store.touch(row.hash, { ...seen(n), limits }) : store.supersede(row.hash, row.expiresAt)
      }
      const acts = Array.from({ length: 100 }, (_, n) => act(n))
      const ended = await (round % 2 === 0 ? store.delete([row.hash]) : store.deleteByUser('u1'))
      expect(ended).toEqual(round % 2 === 0 ? [row.hash] : 1)
      expect(await store.find(row.hash)).toBeUndefined()
      await Promise.all(acts)
      expect(await store.find(row.hash)).toBeUndefined()
    }
    expect((await keys()).filter((key) => key.includes(':session:'))).toEqual([])
  })

  test('of 100 parallel logins of one person, the end of all sessions leaves none that it does not know', async () => {
    const { store } = await storeOfTest()
    const rows = Array.from({ length: 100 }, () => sessionRow({ userId: 'u1' }))
    await Promise.all(rows.map((row) => store.create(row)))
    expect(await store.listByUser('u1')).toHaveLength(100)
    expect(await store.deleteByUser('u1')).toBe(100)
  })

  test('a Redis that forgot the scripts is told them again', async () => {
    const { store, client } = await storeOfTest()
    const row = sessionRow()
    await store.create(row)
    await client.scriptFlush()
    expect(await store.update(row.hash, { a: '1' })).toBe(true)
    expect(await store.find(row.hash)).toMatchObject({ data: '{"a":"1"}' })
  })

  test('each verb is one call to Redis, and one more where a user’s index is written', async () => {
    const { client, prefix } = await storeOfTest()
    let calls = 0
    const counting: RedisClient = {
      evalSha: (sha1, options) => {
        calls++
        expect(options.keys).toHaveLength(1)
        return client.evalSha(sha1, options)
      },
      eval: (text, options) => client.eval(text, options),
    }
    const store = new RedisStore({ client: counting, prefix })
    const callsOf = async (act: () => unknown) => {
      calls = 0
      await act()
      return calls
    }
    const [anonymous, login] = [sessionRow(), sessionRow({ userId: 'u1' })]
    const seen = { lastSeenAt: anonymous.lastSeenAt, expiresAt: anonymous.expiresAt }
    expect(await callsOf(() => store.create(anonymous))).toBe(1)
    expect(await callsOf(() => store.create(login))).toBe(2)
    expect(await callsOf(() => store.find(login.hash))).toBe(1)
    expect(await callsOf(() => store.update(login.hash, { a: '1' }))).toBe(1)
    expect(await callsOf(() => store.touch(login.hash, seen))).toBe(1)
    expect(await callsOf(() => store.supersede(login.hash, login.expiresAt))).toBe(1)
    expect(await callsOf(() => store.delete([anonymous.hash]))).toBe(1)
  })

  test('a Redis that is cut off fails at once, one that fell silent in half a second, and both are back within two', async () => {
    const { prefix } = await storeOfTest()
    const way = await openWay()
    const { createClient } = await import('redis')
    const client = createClient({ url: way.url, disableOfflineQueue: true })
    client.on('error', () => {})
    await client.connect()
    opened.push(async () => client.destroy(), way.close)
    const store = new RedisStore({ client, prefix })
    const row = sessionRow()
    await store.create(row)
    const failing = async () => {
      // The clock of deadlines: what other programs take of the machine is not the store's.
      const began = activeTime()
      await expect(store.find(row.hash)).rejects.toMatchObject({ name: 'StoreUnavailableError', status: 503, retryAfter: 1 })
      return activeTime() - began
    }
    await way.cut()
    await failing()
    expect(await failing()).toBeLessThan(100)
    await way.restore()
    await expect.poll(() => store.find(row.hash).catch(() => undefined)).toMatchObject({ hash: row.hash })
    way.stall()
    const silent = await failing()
    expect(silent).toBeGreaterThan(400)
    expect(silent).toBeLessThan(1500)
    await way.restore()
    await expect.poll(() => store.find(row.hash).catch(() => undefined)).toMatchObject({ hash: row.hash })
  })

  test('a new visitor is served while Redis is away, a request with a cookie or data is told to come again', async () => {
    const { prefix } = await storeOfTest()
    const way = await openWay()
    const { createClient } = await import('redis')
    const client = createClient({ url: way.url, disableOfflineQueue: true })
    client.on('error', () => {})
    await client.connect()
    opened.push(async () => client.destroy(), way.close)
    const middleware = session({ store: new RedisStore({ client, prefix }), saveUninitialized: true })
    opened.push(() => middleware.close())
    const app = express()
    app.set('env', 'test')
    app.use(middleware)
    app.get('/', (_req, res) => void res.send('a page'))
    app.get('/write', (req, res) => {
      req.session.views = 1
      res.send('a page')
    })
    const url = await serve(app)
    const browser = new Browser(url)
    expect((await browser.get('/')).setCookies).not.toEqual([])
    await way.cut()
    const stranger = await send(url)
    expect([stranger.status, stranger.text, stranger.setCookies]).toEqual([200, 'a page', []])
    expect([(await send(`${url}/write`)).status, (await browser.get('/')).status]).toEqual([503, 503])
    await way.restore()
    await expect.poll(async () => (await send(url)).setCookies.length).toBeGreaterThan(0)
    expect((await browser.get('/')).status).toBe(200)
  })

  test('a client that is not connected, or of which nobody knows, is told in words', async () => {
    const { createClient } = await import('redis')
    const offline = new RedisStore({ client: createClient({ url: 'redis://127.0.0.1:1' }) })
    await expect(offline.find('h')).rejects.toThrow(StoreUnavailableError)
    expect(() => new RedisStore({ client: Object.create(null) })).toThrow('client must be a client of the redis package')
    expect(() => new RedisStore({ client: offline as never, prefix: 'a b' })).toThrow(TypeError)
    const broken = { evalSha: async () => Promise.reject(new Error('ERR Error running script')), eval: async () => null }
    await expect(new RedisStore({ client: broken }).find('h')).rejects.toThrow('ERR Error running script')
  })

  test('D-15 D-16 neither a key nor a value in Redis holds the id of a session', async () => {
    const { store, client, keys } = await storeOfTest()
    const id = 'an-id-that-only-a-cookie-holds'
    await store.create(sessionRow({ hash: createHash('sha256').update(id).digest('base64url'), userId: 'u1' }))
    for (const key of await keys()) {
      const held = key.includes(':session:') ? await client.hGetAll(key) : await client.zRange(key, 0, -1)
      expect(key + JSON.stringify(held)).not.toContain(id)
    }
  })
})
