// An application of express-session changes one import over its own store, and can go back: nobody is logged out.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisStore } from 'connect-redis'
import pg from 'pg'
import { createClient } from 'redis'
import { expect, onTestFinished, test } from 'vitest'
import { describeUnless } from '../support/needs.ts'
import { postgresAnswers } from '../support/postgres-server.ts'
import { redisAnswers } from '../support/redis-server.ts'
import { type AnyStore, type Exports, type Implementation, OUR_IMPLEMENTATIONS, REFERENCE } from './implementations.ts'
import {
  called,
  count,
  type Handler,
  HOUR,
  idIn,
  lifetime,
  MINUTE,
  type OpenApp,
  open,
  SECOND,
  writeTwiceAtOnce,
} from './support.ts'

const require = createRequire(import.meta.url)
type Factory = (session: Exports) => new (options: object) => AnyStore

/** Reads the store itself, without any middleware. */
interface Backend {
  /** A store as an application makes it that has this `session`. */
  store(session: Exports): AnyStore
  /** The row of an id as the store has it, and in how many milliseconds it forgets it. */
  look(id: string): Promise<{ readonly row: Record<string, unknown>; readonly ttl: number } | undefined>
}

interface Kind {
  readonly name: string
  readonly make: () => Promise<Backend> | Backend
  /** The service that it needs, if it does not answer. */
  readonly missing?: string | undefined
}

const kinds: readonly Kind[] = [
  { name: 'session-file-store', make: files },
  { name: 'memorystore', make: memory },
  { name: 'connect-redis', make: redis, missing: (await redisAnswers()) ? undefined : 'Redis' },
  { name: 'connect-pg-simple', make: postgres, missing: (await postgresAnswers()) ? undefined : 'PostgreSQL' },
]

const work: Handler = async (req, res, next) => {
  const { path, session } = req
  if (path === '/login') {
    await called((done) => session.regenerate(done))
    Object.assign(req.session, { user: 'alice', cart: [{ apples: 2 }], note: 'Grüße, 你好' })
    await called((done) => req.session.save(done))
    return res.redirect('/')
  }
  if (path === '/count') return count(req, res, next)
  if (path === '/logout') {
    await called((done) => session.destroy(done))
    return res.redirect('/')
  }
  res.json({ user: session.user ?? null, views: session.views ?? null, cart: session.cart ?? null, note: session.note ?? null })
}

function application(implementation: Implementation, backend: Backend): Promise<OpenApp> {
  const options = {
    store: backend.store(implementation.session),
    cookie: { maxAge: HOUR, sameSite: 'lax', secure: false },
    resave: false,
  }
  return open(implementation, options, work)
}

const ALICE = { user: 'alice', cart: [{ apples: 2 }], note: 'Grüße, 你好' }
const NOBODY = { user: null, cart: null, note: null, views: null }

for (const { name, make, missing } of kinds)
  for (const ours of OUR_IMPLEMENTATIONS.filter((implementation) => !implementation.callbacks)) {
    describeUnless(missing, `over ${name}: ${ours.name}`, () => {
      const read = async (place: OpenApp, cookie: string) => JSON.parse((await place.get('/', { cookie })).text)

      test('a person who is logged in stays so when the import changes, and when it changes back', async () => {
        const backend = await make()
        const before = await application(REFERENCE, backend)
        const visitor = before.visitor()
        await visitor.get('/login')
        await visitor.get('/count')
        const { cookie } = visitor
        const after = await application(ours, backend)
        expect(await read(after, cookie)).toEqual({ ...ALICE, views: 1 })
        expect((await after.get('/count', { cookie })).text).toBe('2')
        expect((await before.get('/count', { cookie })).text).toBe('3')
        expect((await after.get('/count', { cookie })).text).toBe('4')
        expect(await read(before, cookie)).toEqual({ ...ALICE, views: 4 })
        expect([before.errors, after.errors]).toEqual([[], []])
      })

      test('a person whose cookie goes with the browser stays logged in too, there and back', async () => {
        const backend = await make()
        const app = (implementation: Implementation) =>
          open(implementation, { store: backend.store(implementation.session) }, work)
        const visitor = (await app(REFERENCE)).visitor()
        await visitor.get('/login')
        const { cookie } = visitor
        const after = await app(ours)
        expect(await read(after, cookie)).toEqual({ ...ALICE, views: null })
        const counted = await after.get('/count', { cookie })
        expect([counted.text, lifetime(counted.cookie)]).toEqual(['1', undefined])
        const back = await (await app(REFERENCE)).get('/count', { cookie })
        expect([back.text, lifetime(back.cookie)]).toEqual(['2', undefined])
      })

      test('a person who logs in after the change is known before it too', async () => {
        const backend = await make()
        const after = await application(ours, backend)
        const visitor = after.visitor()
        await visitor.get('/login')
        const before = await application(REFERENCE, backend)
        expect(await read(before, visitor.cookie)).toEqual({ ...ALICE, views: null })
        expect((await before.get('/count', { cookie: visitor.cookie })).text).toBe('1')
        expect(await read(after, visitor.cookie)).toEqual({ ...ALICE, views: 1 })
      })

      test('a person who logs out after the change is logged out in the store', async () => {
        const backend = await make()
        const before = await application(REFERENCE, backend)
        const visitor = before.visitor()
        await visitor.get('/login')
        const { cookie } = visitor
        const id = idIn(cookie)
        expect((await backend.look(id))?.row).toMatchObject(ALICE)
        const after = await application(ours, backend)
        await after.get('/logout', { cookie })
        expect(await backend.look(id)).toBeUndefined()
        expect(await read(before, cookie)).toEqual(NOBODY)
        expect(await read(after, cookie)).toEqual(NOBODY)
      })

      test('a login after the change leaves nothing of the visitor before it', async () => {
        const backend = await make()
        const visitor = (await application(REFERENCE, backend)).visitor()
        await visitor.get('/count')
        const { cookie } = visitor
        const after = await application(ours, backend)
        const login = await after.get('/login', { cookie })
        expect(idIn(login.cookie)).not.toBe(idIn(cookie))
        expect((await backend.look(idIn(login.cookie)))?.row).toMatchObject(ALICE)
        expect((await backend.look(idIn(login.cookie)))?.row.views).toBeUndefined()
      })

      test('the store forgets a session when its cookie expires, and not before', async () => {
        const backend = await make()
        const after = await application(ours, backend)
        const { cookie } = await after.get('/count')
        const found = await backend.look(idIn(cookie))
        expect(found?.row).toMatchObject({
          views: 1,
          cookie: { originalMaxAge: HOUR, httpOnly: true, path: '/', sameSite: 'lax' },
        })
        expect(found?.ttl).toBeGreaterThan(HOUR - 30 * SECOND)
        expect(found?.ttl).toBeLessThanOrEqual(HOUR + MINUTE + SECOND)
      })

      test('two requests of one person at once lose nothing', async () => {
        const backend = await make()
        const options = { store: backend.store(ours.session), cookie: { maxAge: HOUR } }
        expect(await writeTwiceAtOnce(ours, options)).toEqual([true, true])
      })

      test('an unknown cookie finds no session, and makes no row', async () => {
        const backend = await make()
        const visitor = (await application(REFERENCE, memory())).visitor()
        await visitor.get('/login')
        const after = await application(ours, backend)
        expect(await read(after, visitor.cookie)).toEqual(NOBODY)
        expect(await backend.look(idIn(visitor.cookie))).toBeUndefined()
        expect(after.errors).toEqual([])
      })
    })
  }

function files(): Backend {
  const path = mkdtempSync(join(tmpdir(), 'guildhall-sessions-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  const make: Factory = require('session-file-store')
  return {
    store: (session) => new (make(session))({ path, ttl: HOUR / SECOND, retries: 0, reapInterval: -1, logFn: () => {} }),
    async look(id) {
      if (!readdirSync(path).includes(`${id}.json`)) return undefined
      const row: Record<string, unknown> & { cookie: { expires: string } } = JSON.parse(
        readFileSync(join(path, `${id}.json`), 'utf8'),
      )
      return { row, ttl: Date.parse(row.cookie.expires) - Date.now() }
    },
  }
}

function memory(): Backend {
  const make: Factory = require('memorystore')
  // It lives in the process: both applications have the same one.
  let store: AnyStore | undefined
  const same = (session: Exports) => {
    store ??= new (make(session))({ checkPeriod: HOUR })
    const stop: unknown = Reflect.get(store, 'stopInterval')
    onTestFinished(() => {
      if (typeof stop === 'function') Reflect.apply(stop, store, [])
    })
    return store
  }
  return {
    store: same,
    async look(id) {
      const cache: { get(key: string): string | undefined } = Reflect.get(store ?? {}, 'store')
      const text = cache.get(id)
      if (text === undefined) return undefined
      const row: Record<string, unknown> & { cookie: { expires: string } } = JSON.parse(text)
      return { row, ttl: Date.parse(row.cookie.expires) - Date.now() }
    },
  }
}

async function redis(): Promise<Backend> {
  const client = createClient({ socket: { host: '127.0.0.1', port: 6379, reconnectStrategy: false } })
  await client.connect()
  const prefix = `guildhall-test-${process.pid}-${performance.now()}:`
  onTestFinished(async () => {
    for await (const keys of client.scanIterator({ MATCH: `${prefix}*` })) if (keys.length > 0) await client.del(keys)
    await client.close()
  })
  return {
    store: () => new RedisStore({ client, prefix }) as unknown as AnyStore,
    async look(id) {
      const text = await client.get(prefix + id)
      return text === null ? undefined : { row: JSON.parse(text), ttl: await client.pTTL(prefix + id) }
    },
  }
}

async function postgres(): Promise<Backend> {
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port: 5432,
    user: process.env.PGUSER ?? 'postgres',
    database: 'postgres',
    max: 4,
  })
  const schema = `guildhall_test_${process.pid}_${Math.floor(performance.now() * 1000)}`
  await pool.query(`CREATE SCHEMA ${schema}`)
  onTestFinished(async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })
  await pool.query(`CREATE TABLE ${schema}.session (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)`)
  const make: Factory = require('connect-pg-simple')
  return {
    store: (session) => new (make(session))({ pool, schemaName: schema, pruneSessionInterval: false }),
    async look(id) {
      const text = `SELECT sess, extract(epoch FROM expire - now()::timestamp)::float8 * 1000 AS ttl FROM ${schema}.session WHERE sid = $1`
      const { rows } = await pool.query<{ sess: Record<string, unknown>; ttl: number }>(text, [id])
      return rows[0] && { row: rows[0].sess, ttl: rows[0].ttl }
    },
  }
}
