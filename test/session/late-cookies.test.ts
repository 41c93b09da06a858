// A request whose session was superseded or ended meanwhile sets no cookie, on every store.
import { setImmediate } from 'node:timers/promises'
import express, { type Express } from 'express'
import { MemoryStore, type SessionOptions, type SessionStore, session } from 'guildhall/session'
import { PostgresStore } from 'guildhall/session/postgres'
import { RedisStore } from 'guildhall/session/redis'
import { SqliteStore } from 'guildhall/session/sqlite'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expressSession } from '../support/express-session.ts'
import { describeOnPostgres, makeDatabase, type TestDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis } from '../support/redis.ts'
import { Browser, namesOf, serve } from './support.ts'
import { addVisits } from './visits.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

type Store = NonNullable<SessionOptions['store']>

/** Holds requests to `/slow/...` back until they are let go. */
class Slow {
  #reached = Promise.withResolvers<void>()
  #open = Promise.withResolvers<void>()

  readonly pass = async (): Promise<void> => {
    this.#reached.resolve()
    await this.#open.promise
  }

  get reached(): Promise<void> {
    return this.#reached.promise
  }

  letGo(): void {
    this.#open.resolve()
  }
}

async function site(store: Store, options: SessionOptions, routes: (app: Express, slow: Slow) => void) {
  const slow = new Slow()
  const app = express()
  app.set('env', 'test')
  const middleware = session({ store, warn: () => {}, secret: 'a secret of this test', ...options })
  opened.push(() => middleware.close())
  app.use(middleware)
  addVisits(app)
  routes(app, slow)
  return { url: await serve(app), slow }
}

const SLOW: Readonly<Record<string, (app: Express, slow: Slow) => void>> = {
  'only reads': (app, slow) =>
    app.get('/slow', async (req, res) => {
      const { views } = req.session
      await slow.pass()
      res.json(views ?? null)
    }),
  'does not even look': (app, slow) =>
    app.get('/slow', async (_req, res) => {
      await slow.pass()
      res.end()
    }),
  'writes its head by itself': (app, slow) =>
    app.get('/slow', async (req, res) => {
      req.session.views = 2
      await slow.pass()
      res.writeHead(200)
      res.write('a')
      res.end('b')
    }),
  'flushes its head': (app, slow) =>
    app.get('/slow', async (_req, res) => {
      await slow.pass()
      res.flushHeaders()
      res.end('b')
    }),
  'saved before it waited': (app, slow) =>
    app.get('/slow', async (req, res) => {
      req.session.views = 2
      await req.session.save()
      await slow.pass()
      res.end()
    }),
  'changes the cookie': (app, slow) =>
    app.get('/slow', async (req, res) => {
      req.session.cookie.maxAge = 3_600_000
      await slow.pass()
      res.end()
    }),
}

const OPTIONS: Readonly<Record<string, SessionOptions>> = {
  rolling: { rolling: true, cookie: { maxAge: '1h' } },
  'rolling and resave': { rolling: true, resave: true },
  'a cookie that stays': { cookie: { maxAge: '1h' } },
}

function nobodyIsLoggedOut(open: () => Store | Promise<Store>): void {
  for (const [setting, options] of Object.entries(OPTIONS)) {
    test.each(Object.entries(SLOW))(
      `D-22 with ${setting}, a slow request that %s sets no cookie over a login or a logout`,
      async (_what, routes) => {
        for (const meanwhile of ['/login', '/logout']) {
          const { url, slow } = await site(await open(), options, routes)
          const browser = new Browser(url)
          await browser.get('/begin')
          const late = Object.assign(new Browser(url), { cookie: browser.cookie, marker: browser.marker }).get('/slow')
          await slow.reached
          await browser.get(meanwhile)
          await setImmediate()
          slow.letGo()
          const { status, setCookies } = await late
          expect([meanwhile, status, setCookies]).toEqual([meanwhile, 200, []])
          expect((await browser.get('/look')).text).toBe(meanwhile === '/login' ? '"logged in"' : 'null')
        }
      },
    )
  }

  test('a slow request of a session that lives has its cookie, whichever way it answers', async () => {
    for (const [what, routes] of Object.entries(SLOW)) {
      const { url, slow } = await site(await open(), { rolling: true }, routes)
      const browser = new Browser(url)
      await browser.get('/begin')
      slow.letGo()
      const { setCookies } = await browser.get('/slow')
      expect([what, namesOf(setCookies)]).toEqual([what, ['connect.sid', 'connect.sid-seen']])
    }
  })
}

describe('memory', () => {
  nobodyIsLoggedOut(() => new MemoryStore())
})

describe('SQLite', () => {
  nobodyIsLoggedOut((): SessionStore => new SqliteStore({ path: ':memory:' }))
})

describe('an adopted store of express-session', () => {
  nobodyIsLoggedOut(() => new expressSession.MemoryStore())
})

describeOnPostgres('PostgreSQL', () => {
  let database: TestDatabase
  let pool: pg.Pool
  beforeAll(async () => {
    database = await makeDatabase()
    pool = new pg.Pool({ connectionString: database.url })
    await new PostgresStore({ pool }).migrate()
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })
  nobodyIsLoggedOut(() => new PostgresStore({ pool }))
})

describeOnRedis('Redis', () => {
  nobodyIsLoggedOut(async () => {
    const { client, prefix, drop } = await makeRedis()
    opened.push(drop)
    return new RedisStore({ client, prefix })
  })
})
