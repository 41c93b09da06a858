// Where the session is: paths, mounted applications, an earlier session, connections behind a proxy.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import { count, type Handler, handle, middlewareOf, open, openApp, openPlain, type Req, watched } from '../support.ts'

const kind: Handler = (req, res) => {
  if (req.session) req.session.views = 1
  res.json([typeof req.session, typeof req.sessionID])
}
const HTTPS = { 'x-forwarded-proto': 'https' }

forEachImplementation('paths', (implementation) => {
  test('a request outside the path of the cookie has no session', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, cookie: { path: '/admin' } }, kind)
    for (const path of ['/', '/adm', '/other/admin']) {
      expect(JSON.parse((await place.get(path)).text)[0]).toBe('undefined')
    }
    for (const path of ['/admin', '/admin/', '/admin/users?page=2']) {
      expect(JSON.parse((await place.get(path)).text)[0]).toBe('object')
    }
    expect(calls).not.toContain('get')
  })

  test('the path /admin covers /administrator, in ours as in browsers it does not', async () => {
    const place = await open(implementation, { cookie: { path: '/admin' } }, kind)
    expect(JSON.parse((await place.get('/administrator')).text)[0]).toBe(implementation.isReference ? 'object' : 'undefined')
  })

  test('a mounted application judges by the whole path', async () => {
    for (const [path, expected] of [
      ['/shop', 'object'],
      ['/cart', 'undefined'],
    ] as const) {
      const place = await openApp((app) => {
        app.use('/shop', middlewareOf(implementation, { cookie: { path } }), handle(kind))
      })
      expect(JSON.parse((await place.get('/shop/cart')).text)[0]).toBe(expected)
    }
  })

  test('a request whose url was rewritten is judged by where it came in', async () => {
    const place = await openApp((app) => {
      app.use((req, _res, next) => {
        req.url = '/elsewhere'
        next()
      })
      app.use(middlewareOf(implementation, { cookie: { path: '/admin' } }), handle(kind))
    })
    expect(JSON.parse((await place.get('/admin')).text)[0]).toBe('object')
  })

  test('a request with an empty url, or without originalUrl, has a session', async () => {
    const middleware = middlewareOf(implementation)
    const place = await openPlain((req, res) => {
      if (req.url === '/empty') req.url = ''
      middleware(req, res, () => res.end(typeof (req as unknown as Req).session))
    })
    expect([(await place.get('/empty')).text, (await place.get('/other')).text]).toEqual(['object', 'object'])
  })

  test('a session that is there already is left alone', async () => {
    const there = { already: true }
    const place = await openApp((app) => {
      app.use((req, _res, next) => {
        Object.assign(req, { session: there })
        next()
      })
      app.use(middlewareOf(implementation))
      app.use((req, res) => {
        res.json((req as unknown as Req).session === (there as unknown))
      })
    })
    const { text, lines } = await place.get()
    expect([text, lines]).toEqual(['true', []])
  })

  test('the same middleware mounted twice counts once', async () => {
    const place = await openApp((app) => {
      const middleware = middlewareOf(implementation)
      app.use(middleware)
      app.use('/again', middleware)
      app.use(handle(count))
    })
    const visitor = place.visitor()
    await visitor.get('/again')
    const second = await visitor.get('/again')
    expect([second.text, second.lines]).toEqual(['2', []])
  })

  test('two applications side by side share a session where they share store, name and secret', async () => {
    const store = implementation.newStore()
    const place = await openApp((app) => {
      for (const name of ['one', 'two']) {
        const inner = express()
        inner.use(middlewareOf(implementation, { store }), handle(count))
        app.use(`/${name}`, inner)
      }
    })
    const visitor = place.visitor()
    for (const path of ['/one', '/two']) await visitor.get(path)
    expect((await visitor.get('/one')).text).toBe('3')
  })

  test('an error handler of the application sees the session, and what it changes is stored', async () => {
    const place = await openApp((app) => {
      app.use(middlewareOf(implementation))
      app.get('/fails', () => {
        throw new Error('no')
      })
      app.use(handle((req, res) => res.json(req.session.failure ?? 'none')))
      app.use((error: Error, req: unknown, res: express.Response, _next: unknown) => {
        ;(req as Req).session.failure = error.message
        res.status(500).send('sorry')
      })
    })
    const visitor = place.visitor()
    expect((await visitor.get('/fails')).status).toBe(500)
    expect((await visitor.get()).text).toBe('"no"')
  })
})

forEachImplementation('secure cookies', (implementation) => {
  const secure = { secure: true, sameSite: false }
  const gets = async (proxy: boolean | undefined, headers: Record<string, string>, trust?: boolean | number) => {
    const place = await openApp((app) => {
      if (trust !== undefined) app.set('trust proxy', trust)
      app.use(middlewareOf(implementation, { proxy, cookie: secure }), handle(count))
    })
    return (await place.get('/', { headers })).cookie?.attributes.has('secure')
  }

  test('with proxy true a visitor gets secure cookies where X-Forwarded-Proto says https', async () => {
    expect(await gets(true, HTTPS)).toBe(true)
    expect(await gets(true, { 'x-forwarded-proto': 'HTTPS , http' })).toBe(true)
    expect(await gets(true, { 'x-forwarded-proto': 'http,https' })).toBeUndefined()
    expect(await gets(true, { 'x-forwarded-proto': 'http' })).toBeUndefined()
    expect(await gets(true, {})).toBeUndefined()
  })

  test('with proxy false no header makes a visitor’s connection secure', async () => {
    expect(await gets(false, HTTPS, true)).toBeUndefined()
  })

  test('without proxy Express says whether a connection is secure, by its setting trust proxy', async () => {
    expect(await gets(undefined, HTTPS)).toBeUndefined()
    expect(await gets(undefined, HTTPS, false)).toBeUndefined()
    expect(await gets(undefined, HTTPS, true)).toBe(true)
    expect(await gets(undefined, HTTPS, 1)).toBe(true)
  })

  test('without Express and without proxy no header makes a connection secure', async () => {
    const middleware = middlewareOf(implementation, { cookie: secure })
    const place = await openPlain((req, res) =>
      middleware(req, res, () => {
        ;(req as unknown as Req).session.views = 1
        res.end()
      }),
    )
    expect((await place.get('/', { headers: HTTPS })).cookie).toBeUndefined()
  })

  test('a visitor over HTTPS gets secure cookies, and comes back with them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'guildhall-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
    const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', ['req', ...kind, ...files], { cwd: folder, stdio: 'ignore' })
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file)))
    const app = express().use(middlewareOf(implementation, { proxy: false, cookie: secure }), handle(count))
    const server = createServer({ key, cert }, app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const ask = (cookie?: string) =>
      new Promise<{ text: string; set: string }>((resolve, reject) => {
        const headers = cookie === undefined ? {} : { cookie }
        request({ port, host: '127.0.0.1', servername: 'localhost', ca: cert, headers, agent: false }, (res) => {
          let text = ''
          res.on('data', (piece) => (text += piece))
          res.on('end', () => resolve({ text, set: String(res.headers['set-cookie']) }))
        })
          .on('error', reject)
          .end()
      })
    const { set } = await ask()
    expect(set).toContain('; Secure')
    expect((await ask(set.split(';')[0])).text).toBe('2')
  })

  test('a secure cookie that cannot be set leaves a row behind, in ours nothing', async () => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, cookie: secure }, count)
    const { text, lines } = await place.get()
    expect([text, lines, calls]).toEqual(['1', [], implementation.isReference ? ['set'] : []])
  })
})
