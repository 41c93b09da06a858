// What the session cannot do never ends the process: no method of a response throws for it, nothing of that answer is sent.
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import express, { type NextFunction, type Request, type Response } from 'express'
import { MemoryStore, type SessionOptions, type SessionStore, session } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Browser, laterStore, send, serve } from './support.ts'

/** What goes wrong, from inside a handler. */
const FAULTS: Readonly<Record<string, { readonly options?: SessionOptions; spoil(req: Request, store: SessionStore): void }>> = {
  'a number that is none': { spoil: (req) => Object.assign(req.session, { x: Number('x') }) },
  'a function': { spoil: (req) => Object.assign(req.session, { x: () => 1 }) },
  'a bigint': { spoil: (req) => Object.assign(req.session, { x: 1n }) },
  'a cycle': {
    spoil: (req) => {
      const x: { x?: object } = {}
      x.x = x
      req.session.shelf = x
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
      void store.close()
      const broken = () => {
        throw new Error('closed')
      }
      Object.assign(store, { create: broken, update: broken, touch: broken })
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

const STORES: readonly (readonly [string, () => SessionStore])[] = [
  ['memory', () => new MemoryStore()],
  ['SQLite', () => new SqliteStore({ path: ':memory:' })],
  ['a store that answers later', () => laterStore(new MemoryStore())],
]

async function site(
  store: SessionStore,
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
        const hear = (error: unknown) => uncaught.push(error)
        process.on('uncaughtException', hear)
        onTestFinished(() => void process.off('uncaughtException', hear))
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
  expect([status, setCookies, await store.count(Date.now())]).toEqual([500, [], 0])
  expect(text).toContain('failed in this request')
})
