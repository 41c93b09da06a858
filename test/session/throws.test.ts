// What the session cannot do never ends the process, and nothing of that answer is sent.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause, setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import express, { type NextFunction, type Request, type Response } from 'express'
import { MemoryStore, type SessionOptions, session } from 'guildhall/session'
import { PostgresStore } from 'guildhall/session/postgres'
import { RedisStore } from 'guildhall/session/redis'
import { SqliteStore } from 'guildhall/session/sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { expressSession } from '../support/express-session.ts'
import { describeOnPostgres, makeDatabase, type TestDatabase } from '../support/postgres.ts'
import { describeOnRedis, makeRedis } from '../support/redis.ts'
import { Browser, laterStore, send, serve } from './support.ts'

/** What goes wrong, from inside a handler. */
const FAULTS: Readonly<Record<string, { readonly options?: SessionOptions; spoil(req: Request, store: Store): void }>> = {
  'a number that is none': { spoil: (req) => Object.assign(req.session, { x: Number('x') }) },
  'a function': { spoil: (req) => Object.assign(req.session, { x: () => 1 }) },
  'a bigint': { spoil: (req) => Object.assign(req.session, { x: 1n }) },
  'a cycle': {
    spoil: (req) => {
      const x: { x?: object } = {}
      x.x = x
      req.session.cart = x
    },
  },
  'a getter that throws': {
    spoil: (req) =>
      Object.defineProperty(req.session, 'x', {
        enumerable: true,
        get() {
          throw new Error('no value')
        },
      }),
  },
  'a cookie that cannot be written': {
    spoil: (req) => {
      req.session.views = 7
      req.session.cookie.path = '/\r\nSet-Cookie: a=b'
    },
  },
  'an id that cannot be made': {
    options: {
      genid: () => {
        throw new Error('no id')
      },
    },
    spoil: (req) => {
      req.session.views = 7
    },
  },
  'a store that was closed': {
    spoil: (req, store) => {
      req.session.views = 7
      if ('close' in store) void store.close()
      const broken = () => {
        throw new Error('closed')
      }
      Object.assign(store, { create: broken, update: broken, touch: broken, set: broken })
    },
  },
}

const ANSWERS: Readonly<Record<string, (res: ServerResponse) => void>> = {
  writeHead: (res) => {
    res.writeHead(200, { 'X-Own': 'yes', 'Content-Length': '4' })
    res.write('fine')
    res.end()
  },
  write: (res) => {
    res.write('fi')
    res.write('ne')
    res.end()
  },
  flushHeaders: (res) => {
    res.flushHeaders()
    res.end('fine')
  },
  end: (res) => {
    res.statusCode = 201
    res.setHeader('Content-Length', '4')
    res.end('fine')
  },
  'end, twice': (res) => {
    res.end('fine')
    res.end('fine')
  },
  'writeHead, and goes on later': (res) => {
    res.writeHead(200)
    setTimeout(() => {
      res.setHeader('X-Late', 'yes')
      res.removeHeader('X-Late')
      res.appendHeader('X-Late', 'yes')
      res.writeHead(202)
      res.flushHeaders()
      res.write('fine')
      res.end('fine')
    }, 20)
  },
}

type Store = NonNullable<SessionOptions['store']>

const STORES: readonly (readonly [string, () => Store])[] = [
  ['memory', () => new MemoryStore()],
  ['SQLite', () => new SqliteStore({ path: ':memory:' })],
  ['a store that answers later', () => laterStore(new MemoryStore())],
  ['a store of express-session', () => new expressSession.MemoryStore()],
]

async function site(
  store: Store,
  options: SessionOptions,
  handler: (req: Request, res: Response) => void,
): Promise<{ url: string; failed: unknown[] }> {
  const failed: unknown[] = []
  const app = express()
  app.set('env', 'test')
  const middleware = session({ store, warn: () => {}, secret: 'a secret of this test', ...options })
  onTestFinished(() => middleware.close())
  app.use(middleware)
  app.get('/begin', (req, res) => {
    req.session.views = 1
    res.end()
  })
  app.get('/alive', (_req, res) => {
    res.send('alive')
  })
  app.get('/', handler)
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    failed.push(error)
    if (res.headersSent) return next(error)
    res.status(500).send('an error page')
  })
  return { url: await serve(app), failed }
}

describe.each(STORES)('on %s', (_name, makeStore) => {
  describe.each(Object.entries(FAULTS))('%s', (_fault, { options = {}, spoil }) => {
    test.each(Object.entries(ANSWERS))(
      'answered from a callback with %s is an error page, and the process lives',
      async (_how, answer) => {
        const uncaught: unknown[] = []
        const collect = (error: unknown) => uncaught.push(error)
        process.on('uncaughtException', collect)
        onTestFinished(() => void process.off('uncaughtException', collect))
        const store = makeStore()
        const { url, failed } = await site(store, options, (req, res) => {
          setTimeout(() => {
            spoil(req, store)
            answer(res)
          }, 1)
        })
        const { status, text, headers, setCookies } = await new Browser(url).get('/')
        expect([status, text, headers.get('x-own'), setCookies]).toEqual([500, 'an error page', null, []])
        await pause(40)
        expect([failed.length, uncaught]).toEqual([1, []])
      },
    )
  })

  test('a store that fails for a session that is there is an error page, however it is answered', async () => {
    for (const [how, answer] of Object.entries(ANSWERS)) {
      const store = makeStore()
      const { url, failed } = await site(store, { rolling: true }, (_req, res) => {
        Object.assign(store, {
          touch: () => {
            throw new Error('disk full')
          },
        })
        setTimeout(() => answer(res), 1)
      })
      const browser = new Browser(url)
      await browser.get('/begin')
      const { status, text } = await browser.get('/')
      expect([how, status, text]).toEqual([how, 500, 'an error page'])
      await pause(40)
      expect(failed).toHaveLength(1)
    }
  })

  test('a fault after the head is out ends the connection, and the process lives', async () => {
    const { url, failed } = await site(makeStore(), {}, (req, res) => {
      res.write('begun')
      setTimeout(() => {
        Object.assign(req.session, { x: 1n })
        res.write('more')
        res.end('done')
        res.end()
      }, 5)
    })
    const browser = new Browser(url)
    await browser.get('/begin')
    const { complete } = await browser.get('/')
    expect([complete, failed.length]).toEqual([false, 1])
    expect((await browser.get('/alive')).text).toBe('alive')
  })
})

/** Stores that are closed under a running request: the pool ended, the client gone, the file shut. */
function closedUnderARequest(open: () => Promise<{ store: Store; close: () => unknown }>): void {
  test.each([true, false])(
    'somebody whose store is closed meanwhile gets an error page, however it is answered, and the process lives; rolling %s',
    async (rolling) => {
      const uncaught: unknown[] = []
      const collect = (error: unknown) => uncaught.push(error)
      process.on('uncaughtException', collect)
      onTestFinished(() => void process.off('uncaughtException', collect))
      for (const [how, answer] of Object.entries(ANSWERS)) {
        const { store, close } = await open()
        const { url, failed } = await site(store, { rolling }, (req, res) => {
          if (!rolling) req.session.views = 2
          void Promise.resolve(close()).then(() => setTimeout(() => answer(res), 1))
        })
        const browser = new Browser(url)
        await browser.get('/begin')
        const { status, text, setCookies } = await browser.get('/')
        expect([how, status, text, setCookies]).toEqual([how, 500, 'an error page', []])
        await pause(40)
        expect([failed.length, uncaught]).toEqual([1, []])
      }
    },
  )
}

describe('SQLite, really closed', () => {
  closedUnderARequest(async () => {
    const store = new SqliteStore({ path: ':memory:' })
    return { store, close: () => store.close() }
  })
})

describeOnPostgres('PostgreSQL, really closed', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await makeDatabase()
    const pool = new pg.Pool({ connectionString: database.url })
    await new PostgresStore({ pool }).migrate()
    await pool.end()
  })
  afterAll(() => database.drop())
  closedUnderARequest(async () => {
    const pool = new pg.Pool({ connectionString: database.url })
    return { store: new PostgresStore({ pool }), close: () => pool.end() }
  })
})

describeOnRedis('Redis, really closed', () => {
  closedUnderARequest(async () => {
    const { client, prefix } = await makeRedis()
    return { store: new RedisStore({ client, prefix }), close: () => client.destroy() }
  })
})

test('after a session failed, an atomic change in the error handler is refused: it would write a row that no cookie leads to', async () => {
  const store = new MemoryStore()
  const app = express()
  app.use(session({ store }))
  app.get('/', (req, res) => {
    Object.assign(req.session, { x: () => 1 })
    res.send('never sent')
  })
  app.use(async (_error: unknown, req: Request, res: Response, _next: NextFunction) => {
    Reflect.deleteProperty(req.session, 'x')
    const outcome = await req.session
      .update((data) => Object.assign(data, { views: 1 }))
      .then(String, (error: Error) => error.message)
    res.status(500).send(outcome)
  })
  const { status, text, setCookies } = await send(await serve(app), {})
  expect([status, setCookies, store.count(Date.now())]).toEqual([500, [], 0])
  expect(text).toContain('failed in this request')
})

describe.each(STORES)('code that awaits the middleware as a promise, over %s', (_name, makeStore) => {
  /** A server without Express: the promise has settled when the save fails, and nobody gets its error. */
  async function awaiting(answer: (res: ServerResponse) => void): Promise<string> {
    const middleware = session({ store: makeStore() })
    onTestFinished(() => middleware.close())
    const run = promisify(middleware)
    const server = createServer((req, res) => {
      void run(req, res).then(() => {
        Object.assign((req as Request).session, { x: () => 1 })
        answer(res)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test.each(Object.entries(ANSWERS))('is answered with 500 when the save fails after %s', async (_how, answer) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const waits = vi.spyOn(globalThis, 'setTimeout')
    const answered = send(await awaiting(answer))
    await vi.waitUntil(async () => {
      await setImmediate()
      return waits.mock.calls.some(([, ms]) => ms === 5_000)
    })
    await vi.advanceTimersByTimeAsync(5_000)
    const { status, text, complete, setCookies } = await answered
    expect([status, text, complete, setCookies]).toEqual([500, 'Internal Server Error', true, []])
  })
})

test.each(Object.entries(ANSWERS))('an error handler that takes its time answers by itself, after %s', async (_how, answer) => {
  const app = express()
  app.use(session({ store: new MemoryStore() }))
  app.get('/', (req, res) => {
    Object.assign(req.session, { x: () => 1 })
    answer(res)
  })
  app.use(async (_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    await pause(50)
    res.status(503).send('a page of its own')
  })
  const { status, text } = await send(await serve(app))
  expect([status, text]).toEqual([503, 'a page of its own'])
})
