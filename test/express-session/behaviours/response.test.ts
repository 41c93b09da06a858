// The response while its session is saved: body, headers and length stay as they were meant.
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import { called, count, type Handler, handle, homeMade, middlewareOf, open, openApp } from '../support.ts'

forEachImplementation('the response', (implementation) => {
  /** The handler after a session that has to be saved, over a store that answers later. */
  const answering = (handler: Handler) =>
    open(implementation, { store: homeMade(implementation) }, (req, res, next) => {
      req.session.views = (req.session.views ?? 0) + 1
      return handler(req, res, next)
    })

  test.each<readonly [string, Handler, string]>([
    ['nothing', (_req, res) => res.end(), ''],
    ['null', (_req, res) => res.end(null), ''],
    ['undefined', (_req, res) => res.end(undefined), ''],
    ['an empty text', (_req, res) => res.end(''), ''],
    ['a text', (_req, res) => res.end('Grüße'), 'Grüße'],
    ['a text with its encoding', (_req, res) => res.end('R3LDvMOfZQ==', 'base64'), 'Grüße'],
    ['a buffer', (_req, res) => res.end(Buffer.from('Grüße')), 'Grüße'],
    ['bytes', (_req, res) => res.end(new TextEncoder().encode('Grüße')), 'Grüße'],
    [
      'write, and a last piece',
      (_req, res) => {
        res.write('Grü')
        res.end('ße')
      },
      'Grüße',
    ],
    [
      'writes alone',
      (_req, res) => {
        res.write('Grü')
        res.write(Buffer.from('ße'))
        res.end()
      },
      'Grüße',
    ],
  ])('a visitor gets the whole body that end was given: %s', async (_what, handler, body) => {
    const place = await answering(handler)
    const { text, complete, cookie } = await place.get()
    expect([text, complete, cookie !== undefined]).toEqual([body, true, true])
  })

  test.each<readonly [string, Handler]>([
    [
      'set before',
      (_req, res) => {
        res.setHeader('Content-Length', 7)
        res.end('Grüße')
      },
    ],
    [
      'given to writeHead',
      (_req, res) => {
        res.writeHead(200, { 'Content-Length': 7 })
        res.end('Grüße')
      },
    ],
    [
      'zero',
      (_req, res) => {
        res.setHeader('Content-Length', 0)
        res.end()
      },
    ],
    [
      'with an empty buffer',
      (_req, res) => {
        res.setHeader('Content-Length', 0)
        res.end(Buffer.alloc(0))
      },
    ],
    [
      'written in two pieces',
      (_req, res) => {
        res.setHeader('Content-Length', 7)
        res.write('Grü')
        res.end('ße')
      },
    ],
  ])('the length that was said is the length that comes: %s', async (_what, handler) => {
    const { text, headers, complete } = await (await answering(handler)).get()
    expect([headers.get('content-length'), complete]).toEqual([String(Buffer.byteLength(text)), true])
    expect(headers.get('transfer-encoding')).toBeNull()
  })

  test('finish comes once the whole body has gone, and a callback that end was given with it is called', async () => {
    const received: string[] = []
    const place = await answering((_req, res) => {
      res.on('finish', () => received.push('finish'))
      res.end('whole', () => received.push('called'))
    })
    expect((await place.get()).text).toBe('whole')
    expect(received.toSorted()).toEqual(['called', 'finish'])
  })

  test('end may be given a callback alone', async () => {
    const received: string[] = []
    const place = await answering((_req, res) => res.end(() => received.push('called')))
    const { status } = await place.get()
    expect([status, received]).toEqual([200, ['called']])
  })

  test('a second end changes nothing', async () => {
    const place = await answering((_req, res) => {
      res.end('first')
      res.end('second')
    })
    expect((await place.get()).text).toBe('first')
    expect(place.errors).toEqual([])
  })

  test.each<readonly [string, Handler]>([
    ['an object', (_req, res) => res.writeHead(201, { 'X-Town': 'Ghent' }).end('body')],
    ['a message and an object', (_req, res) => res.writeHead(201, 'Made', { 'X-Town': 'Ghent' }).end('body')],
    ['a list', (_req, res) => res.writeHead(201, ['X-Town', 'Ghent']).end('body')],
    [
      'earlier headers',
      (_req, res) => {
        res.setHeader('X-Town', 'Ghent')
        res.writeHead(201).end('body')
      },
    ],
  ])('writeHead works, gives the response back and lets the cookie out: %s', async (_what, handler) => {
    const { status, headers, text, cookie } = await (await answering(handler)).get()
    expect([status, headers.get('x-town'), text, cookie !== undefined]).toEqual([201, 'Ghent', 'body', true])
  })

  test.each<readonly [string, Handler]>([
    ['an object', (_req, res) => res.writeHead(200, { 'Set-Cookie': 'a=1' }).end()],
    ['an object with a list', (_req, res) => res.writeHead(200, { 'set-cookie': ['a=1'] }).end()],
    ['a list', (_req, res) => res.writeHead(200, ['Set-Cookie', 'a=1']).end()],
    [
      'set before',
      (_req, res) => {
        res.setHeader('Set-Cookie', 'a=1')
        res.writeHead(200).end()
      },
    ],
  ])('cookies of the application go out beside the session cookie with writeHead: %s', async (_what, handler) => {
    const { lines, cookie } = await (await answering(handler)).get()
    expect(lines.filter((line) => !line.startsWith('connect.sid='))).toEqual(['a=1'])
    expect(cookie).toBeDefined()
  })

  test('the next request of the visitor finds what this one changed, as soon as its answer is there', async () => {
    const store = homeMade(implementation)
    const visitor = (await open(implementation, { store }, count)).visitor()
    for (const n of ['1', '2', '3', '4']) expect((await visitor.get()).text).toBe(n)
  })

  test('what is changed after the first write is stored at the end', async () => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/read') return void res.json([req.session.early ?? null, req.session.late ?? null])
      req.session.early = true
      res.write('a')
      req.session.late = true
      res.end('b')
    })
    const visitor = place.visitor()
    expect((await visitor.get()).text).toBe('ab')
    expect(JSON.parse((await visitor.get('/read')).text)).toEqual([true, true])
  })

  test('a stream arrives while it is written', async () => {
    const go = Promise.withResolvers<void>()
    const place = await answering(async (_req, res) => {
      res.write('first')
      await go.promise
      res.end('last')
    })
    const pieces: string[] = []
    await new Promise<void>((resolve, reject) => {
      request(place.url, (res) => {
        res.setEncoding('utf8').on('data', (piece: string) => {
          pieces.push(piece)
          go.resolve() // Only once the first has come.
        })
        res.on('end', resolve).on('error', reject)
      }).end()
    })
    expect(pieces).toEqual(['first', 'last'])
  })

  test('HEAD has the headers and the cookie, and no body', async () => {
    const place = await answering((_req, res) => res.send('a body'))
    const { status, headers, text, cookie } = await place.get('/', { method: 'HEAD' })
    expect([status, headers.get('content-length'), text, cookie !== undefined]).toEqual([200, '6', '', true])
  })

  test('a visitor who has the page already gets 304, and the session is stored', async () => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/read') return void res.send(String(req.session.views))
      req.session.views = (req.session.views ?? 0) + 1
      res.send('always the same')
    })
    const visitor = place.visitor()
    const etag = (await visitor.get()).headers.get('etag') ?? ''
    const again = await visitor.get('/', { headers: { 'if-none-match': etag } })
    expect([again.status, again.text]).toEqual([304, ''])
    expect((await visitor.get('/read')).text).toBe('2')
  })

  test('a redirect carries the cookie, and its target finds the session', async () => {
    const place = await open(implementation, {}, (req, res) => {
      if (req.path === '/target') return void res.send(req.session.user ?? 'nobody')
      req.session.user = 'alice'
      res.redirect('/target')
    })
    const visitor = place.visitor()
    const { status, cookie } = await visitor.get()
    expect([status, cookie !== undefined]).toEqual([302, true])
    expect((await visitor.get('/target')).text).toBe('alice')
  })

  test('a middleware that wraps the response after the session still gets everything', async () => {
    const received: string[] = []
    const place = await open(implementation, { store: homeMade(implementation) }, (req, res) => {
      const { end, writeHead } = res
      Object.assign(res, {
        end: (...args: unknown[]) => {
          received.push(`end ${String(args[0])}`)
          return Reflect.apply(end, res, args)
        },
        writeHead: (...args: unknown[]) => {
          received.push(`head ${String(args[0])}`)
          return Reflect.apply(writeHead, res, args)
        },
      })
      req.session.views = 1
      res.status(202).end('body')
    })
    const { status, text, cookie } = await place.get()
    expect([status, text, cookie !== undefined]).toEqual([202, 'body', true])
    expect(received.toSorted()).toEqual(['end body', 'head 202'])
  })

  test('a middleware that wraps the response before the session gets the body once', async () => {
    const received: string[] = []
    const place = await openApp((app) => {
      app.use((_req, res, next) => {
        const { write, end } = res
        const hearing =
          (pass: (...args: never[]) => unknown) =>
          (...args: unknown[]) => {
            if (typeof args[0] === 'string' || args[0] instanceof Uint8Array) received.push(args[0].toString())
            return Reflect.apply(pass, res, args)
          }
        Object.assign(res, { write: hearing(write), end: hearing(end) })
        next()
      })
      app.use(middlewareOf(implementation, { store: homeMade(implementation) }))
      app.use(
        handle((req, res) => {
          req.session.views = 1
          res.write('one ')
          res.end('two')
        }),
      )
    })
    expect((await place.get()).text).toBe('one two')
    expect(received.join('')).toBe('one two')
  })

  test('end and write give something true back', async () => {
    const given: unknown[] = []
    const place = await answering((_req, res) => {
      given.push(res.write('a'), res.end('b'))
    })
    expect((await place.get()).text).toBe('ab')
    expect(given.map(Boolean)).toEqual([true, true])
  })

  test('an answer without a change is not held back, nor is one without a session', async () => {
    const place = await open(implementation, { cookie: { path: '/in' } }, (_req, res) => res.end('here'))
    expect([(await place.get('/in')).text, (await place.get('/out')).text]).toEqual(['here', 'here'])
  })

  test('the middleware serves a request although nobody answers it with a body', async () => {
    const place = await open(implementation, {}, async (req, res) => {
      req.session.views = 1
      await called((done) => req.session.save(done))
      res.status(204).end()
    })
    const { status, cookie } = await place.get()
    expect([status, cookie !== undefined]).toEqual([204, true])
  })
})
