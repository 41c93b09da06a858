// A response ends when its session is saved, in one piece; it is left alone if there is nothing to save.
import { createServer, type IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { MemoryStore, type SessionStore } from 'guildhall/session'
import { describe, expect, test } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { Sessions } from '../../src/session/request/middleware.ts'
import { application, Browser, COOKIE, HandClock, LIMITS, laterStore, namesOf, STORES, send } from './support.ts'

describe.each(STORES)('a response over %s', (_name, makeStore) => {
  test('ends only after what changed is saved', async () => {
    let saved: string | undefined
    const store = makeStore()
    const { url } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views = (req.session.views ?? 0) + 1
          const { sessionID } = req
          res.on('prefinish', () => {
            void Promise.resolve(store.find(digest(sessionID))).then((row) => {
              saved = row?.data
            })
          })
          res.json(req.session.views)
        })
      },
      { store },
    )
    const browser = new Browser(url)
    for (const n of [1, 2, 3]) {
      const answer = await browser.get('/')
      expect(answer.headers.get('content-length')).toBe('1')
      await setImmediate()
      await setImmediate()
      expect(saved).toBe(`{"views":"${n}"}`)
    }
  })

  test('streams: the head goes out with the first write, and later changes are saved at the end', async () => {
    const { url, store } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views = 1
          res.write('a')
          req.session.views = 2
          res.write('b')
          setTimeout(() => {
            req.session.cart = 3
            res.end('c')
          }, 5)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    const answer = await browser.get('/')
    expect(answer.text).toBe('abc')
    expect(namesOf(answer.setCookies)).toEqual(['sid', 'sid-seen'])
    expect(JSON.parse((await store.find(digest(browser.id)))?.data ?? '')).toEqual({ views: '2', cart: '3' })
    expect((await browser.get('/')).setCookies).toEqual([])
  })

  test('works with flushHeaders, writeHead before end, HEAD and 304', async () => {
    const { url, store } = await application(
      (app) => {
        app.use((req, _res, next) => {
          req.session.views = (req.session.views ?? 0) + 1
          next()
        })
        app.get('/flush', (_req, res) => {
          res.flushHeaders()
          res.end('flushed')
        })
        app.get('/head', (_req, res) => {
          res.writeHead(201, 'Made', { 'x-own': 'yes' })
          res.end('made')
        })
        app.get('/page', (_req, res) => {
          res.set('ETag', '"1"').send('page')
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    expect((await browser.get('/flush')).text).toBe('flushed')
    const head = await browser.get('/head')
    expect([head.status, head.text, head.headers.get('x-own')]).toEqual([201, 'made', 'yes'])
    const only = await browser.get('/page', { method: 'HEAD' })
    expect([only.status, only.text, only.headers.get('content-length')]).toEqual([200, '', '4'])
    expect((await browser.get('/page', { headers: { 'if-none-match': '"1"' } })).status).toBe(304)
    expect((await store.find(digest(browser.id)))?.data).toBe('{"views":"4"}')
  })

  test('makes no row where the head has gone without a cookie', async () => {
    const { url, store } = await application(
      (app) => {
        app.get('/', (req, res) => {
          res.write('a')
          req.session.views = 1
          res.end('b')
        })
      },
      { store: makeStore() },
    )
    const answer = await send(url)
    expect([answer.text, answer.setCookies]).toEqual(['ab', []])
    expect(await store.deleteExpired(Number.MAX_SAFE_INTEGER, 10)).toBe(0)
  })

  test('of a request that did not wait for destroy ends after it', async () => {
    const { url } = await application(
      (app) => {
        app.get('/in', (req, res) => {
          req.session.views = 1
          res.end()
        })
        app.get('/out', (req, res) => {
          void req.session.destroy()
          res.redirect('/')
        })
        app.get('/', (req, res) => {
          res.json(req.session.views ?? null)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/in')
    const saved = browser.cookie ?? ''
    expect((await browser.get('/out')).setCookies[0]).toContain('Max-Age=0')
    expect((await send(url, { cookie: saved })).text).toBe('null')
  })
})

test('a body that cannot be sent is an error of this request alone, also where the save came first', async () => {
  const { url } = await application(
    (app) => {
      app.get('/', (req, res) => {
        req.session.views = 1
        Reflect.apply(res.end, res, [17])
      })
    },
    { store: laterStore(new MemoryStore()) },
  )
  const answer = await send(url)
  expect([answer.status, answer.text.includes('chunk')]).toEqual([500, true])
})

test('a person whose page is answered twice gets the first answer whole, and nothing of the second', async () => {
  const { url } = await application(
    (app) => {
      app.use((req, _res, next) => {
        req.session.views = (req.session.views ?? 0) + 1
        next()
      })
      app.get('/send', (_req, res) => {
        res.status(201).set('X-Own', 'first').send('the first answer')
        res.status(401).set('X-Own', 'second').set('X-Other', 'second').send('no')
      })
      app.get('/throw', (_req, res) => {
        res.status(201).set('X-Own', 'first').send('the first answer')
        throw new Error('too late')
      })
      app.get('/head', (_req, res) => {
        res.status(201).set('X-Own', 'first').send('the first answer')
        res.writeHead(500, { 'X-Own': 'second' })
        res.write('second')
        res.end('second')
      })
    },
    { store: laterStore(new MemoryStore()) },
  )
  for (const path of ['/send', '/throw', '/head']) {
    const { status, text, headers, complete, setCookies } = await send(url + path)
    expect([path, status, text, complete]).toEqual([path, 201, 'the first answer', true])
    expect([headers.get('x-own'), headers.get('x-other'), headers.get('content-length')]).toEqual(['first', null, '16'])
    expect(namesOf(setCookies)).toEqual(['sid', 'sid-seen'])
  }
})

/** A store of which one verb fails, at once or later. */
function failing(verb: 'create' | 'update' | 'delete', later: boolean): SessionStore {
  const store = new MemoryStore()
  const fail = () => {
    throw new Error(`no ${verb}`)
  }
  Object.assign(store, { [verb]: fail })
  return later ? laterStore(store) : store
}

describe.each([
  ['at once', false],
  ['later', true],
])('a save that fails %s', (_name, later) => {
  test('reaches the error handler, without the headers and the cookie of the page that was not', async () => {
    const { url } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views = 1
          res.status(201).set('Content-Language', 'fi').set('X-Own', 'stays').set('ETag', '"1"').send('<p>Fine</p>')
        })
      },
      { store: failing('create', later) },
    )
    const answer = await send(url)
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.text)).toEqual({ failed: 'no create' })
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(answer.headers.get('content-language')).toBeNull()
    expect(answer.headers.get('etag')).not.toBe('"1"')
    expect(answer.headers.get('x-own')).toBe('stays')
    expect(answer.setCookies).toEqual([])
  })

  test('of a patch reaches the error handler', async () => {
    const { url, store } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views = (req.session.views ?? 0) + 1
          res.json(req.session.views)
        })
      },
      { store: failing('update', later) },
    )
    const browser = new Browser(url)
    expect((await browser.get('/')).status).toBe(200)
    expect(JSON.parse((await browser.get('/')).text)).toEqual({ failed: 'no update' })
    expect((await store.find(digest(browser.id)))?.data).toBe('{"views":"1"}')
  })

  test('breaks a response that has begun, rather than pretend', async () => {
    const { url } = await application(
      (app) => {
        app.get('/', (req, res) => {
          res.write('begun')
          req.session.views = 1
          setTimeout(() => res.end('done'), 5)
        })
        app.get('/in', (req, res) => {
          req.session.views = 0
          res.end()
        })
      },
      { store: failing('update', later) },
    )
    const browser = new Browser(url)
    await browser.get('/in')
    const answer = await browser.get('/')
    expect([answer.text, answer.complete]).toEqual(['begun', false])
  })

  test('is no logout: the answer is an error and the cookie stays', async () => {
    const { url } = await application(
      (app, sessions) => {
        app.get('/in', (req, res) => {
          req.session.views = 0
          res.end()
        })
        app.get('/end', async (req, res) => {
          await sessions.end(req)
          res.send('bye')
        })
        app.get('/destroy', (req, res) => {
          void req.session.destroy()
          res.send('bye')
        })
        app.get('/caught', async (req, res) => {
          await req.session.destroy().catch(() => {})
          res.status(503).send('try again')
        })
      },
      { store: failing('delete', later) },
    )
    const browser = new Browser(url)
    await browser.get('/in')
    for (const path of ['/end', '/destroy']) {
      const answer = await browser.get(path)
      expect([answer.status, answer.setCookies]).toEqual([500, []])
    }
    const caught = await browser.get('/caught')
    expect([caught.status, caught.text, caught.setCookies]).toEqual([503, 'try again', []])
  })
})

describe('a response', () => {
  test('is left alone where req.session is not looked at', async () => {
    const { url } = await application((app, sessions) => {
      app.get('/', (req, res) => {
        sessions.row(req)
        res.json([Object.hasOwn(res, 'end'), Object.hasOwn(res, 'writeHead')])
      })
      app.get('/in', (req, res) => {
        req.session.views = 1
        res.json([Object.hasOwn(res, 'end'), Object.hasOwn(res, 'writeHead')])
      })
    })
    const browser = new Browser(url)
    expect((await browser.get('/in')).text).toBe('[true,true]')
    expect((await browser.get('/')).text).toBe('[false,false]')
  })

  test('passes straight through where nothing changed: one call of end with the whole body', async () => {
    const ends: unknown[][] = []
    const { url } = await application((app) => {
      app.use((_req, res, next) => {
        res.end = (...args: unknown[]) => {
          ends.push(args)
          Reflect.apply(ServerResponse.prototype.end, res, args)
          return res
        }
        next()
      })
      app.get('/', (req, res) => {
        res.send(`views ${req.session.views ?? 0}`)
        expect(res.writableEnded).toBe(true)
      })
    })
    expect((await send(url)).text).toBe('views 0')
    expect(ends).toHaveLength(1)
    expect(String(ends[0]?.[0])).toBe('views 0')
  })

  test('of a plain node:http server works as well', async () => {
    const { sessions } = await application(() => {})
    const server = createServer((req: IncomingMessage & { session?: { n?: number } }, res) => {
      sessions.handle(req, res, () => {
        const session = req.session ?? {}
        session.n = (session.n ?? 0) + 1
        res.end(String(session.n))
      })
    }).listen(0)
    const address = server.address()
    const browser = new Browser(`http://127.0.0.1:${typeof address === 'object' && address?.port}`)
    expect((await browser.get('/')).text).toBe('1')
    expect((await browser.get('/')).text).toBe('2')
    server.close()
  })
})

describe('the head of an answer', () => {
  test('that failed is sent once more with one cookie, and with those of the host', async () => {
    const BAD: readonly (readonly unknown[])[] = [
      [99],
      [200, { 'x-own': 'two\nlines' }],
      [200, ['x-own']],
      [200, { 'Set-Cookie': 'host=2', 'x-own': 'two\nlines' }],
    ]
    for (const store of [new MemoryStore(), laterStore(new MemoryStore())]) {
      for (const args of BAD) {
        const { url } = await application(
          (app) => {
            app.get('/', (req, res) => {
              req.session.views = 1
              res.setHeader('Set-Cookie', 'host=1')
              Reflect.apply(res.writeHead, res, args)
              res.end('fine')
            })
          },
          { store },
        )
        const { status, setCookies } = await send(url)
        expect([status, namesOf(setCookies)]).toEqual([500, ['host', 'sid', 'sid-seen']])
      }
    }
  })

  test.each<readonly [string, readonly unknown[], readonly string[]]>([
    ['pairs', [200, [['x-own', 'yes'], ['x-other', 'too']]], []], // biome-ignore format: a head reads as a line
    ['pairs with a cookie', [200, [['x-own', 'yes'], ['Set-Cookie', 'host=1']]], ['host']], // biome-ignore format: as above
    ['pairs and a reason', [200, 'Fine', [['x-own', 'yes']]], []],
    ['a flat list', [200, ['x-own', 'yes']], []],
    ['a flat list with a cookie', [200, 'Fine', ['x-own', 'yes', 'Set-Cookie', 'host=1']], ['host']],
    ['an object', [200, { 'x-own': 'yes', 'set-cookie': ['host=1', 'host=2'] }], ['host', 'host']],
    ['an object and nothing behind it', [200, { 'x-own': 'yes', 'set-cookie': 'host=1' }, undefined], ['host']],
  ])('given as %s goes out as Node takes it, with the cookie', async (_what, args, cookies) => {
    const { sessions } = await application(() => {})
    const server = createServer((req: IncomingMessage & { session?: { n?: number } }, res) => {
      sessions.handle(req, res, () => {
        Object.assign(req.session ?? {}, { n: 1 })
        Reflect.apply(res.writeHead, res, args)
        res.end('fine')
      })
    }).listen(0)
    const address = server.address()
    const answer = await send(`http://127.0.0.1:${typeof address === 'object' && address?.port}`)
    expect([answer.status, answer.text, answer.headers.get('x-own')]).toEqual([200, 'fine', 'yes'])
    expect(namesOf(answer.setCookies)).toEqual([...cookies, 'sid', 'sid-seen'])
    server.close()
  })

  test('and its body wait for a store that answers later, in their order, however they are written', async () => {
    const chunk = 'x'.repeat(10_000)
    const { url } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views = 1
          Readable.from(Array.from({ length: 50 }, (_, n) => `${n}${chunk}`)).pipe(res)
        })
      },
      { store: laterStore(new MemoryStore()) },
    )
    const { text, setCookies } = await send(url)
    expect(text).toBe(Array.from({ length: 50 }, (_, n) => `${n}${chunk}`).join(''))
    expect(namesOf(setCookies)).toEqual(['sid', 'sid-seen'])
  })
})

test('somebody whose session ends, and who is given one by a second middleware on the way, gets the cookies of both', async () => {
  const other = new Sessions({
    store: new MemoryStore(),
    cookie: { ...COOKIE, name: 'second' },
    limits: LIMITS,
    clock: new HandClock(),
  })
  const { url } = await application((app) => {
    app.get('/', (req, res) => {
      req.session.views = 1
      res.end()
    })
    app.get(
      '/out',
      async (req, _res, next) => next(await req.session.destroy()),
      other.handle,
      (req, res) => {
        req.session.views = 2
        const { end } = res
        res.end = (...args: unknown[]) => Reflect.apply(end, res, args)
        res.writeHead(200, { 'X-Own': 'yes' }).end('both')
      },
    )
  })
  const browser = new Browser(url)
  await browser.get('/')
  const { text, setCookies, headers } = await browser.get('/out')
  expect([text, headers.get('x-own')]).toEqual(['both', 'yes'])
  expect(namesOf(setCookies)).toEqual(['second', 'second-seen', 'sid', 'sid-seen'])
  await other.close()
})
