// The packages used most on top of a session: passport, connect-flash, csrf-sync and ws, as their READMEs say.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { csrfSync } from 'csrf-sync'
import express, { type RequestHandler } from 'express'
import { Passport } from 'passport'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { forEachImplementation, type Implementation } from './implementations.ts'
import { called, count, handle, middlewareOf, type OpenApp, openApp, type Req } from './support.ts'

const require = createRequire(import.meta.url)
const flash: () => RequestHandler = require('connect-flash')
const { Strategy }: { Strategy: typeof import('passport').Strategy & (new (verify: Verify) => import('passport').Strategy) } =
  require('passport-local')

type Verify = (name: string, password: string, done: (error: unknown, user: unknown, info?: object) => void) => void

/** alice logs in with her password, by way of POST /login. */
function withPassport(implementation: Implementation, options: object = {}): Promise<OpenApp> {
  const passport = new Passport()
  passport.use(
    new Strategy((name, password, done) => {
      if (name === 'alice' && password === 'granite') done(null, { name } as never)
      else done(null, false, { message: 'wrong name or password' })
    }),
  )
  passport.serializeUser((user, done) => done(null, Reflect.get(user, 'name')))
  passport.deserializeUser((name: string, done) => done(null, { name } as never))
  return openApp((app) => {
    app.use(middlewareOf(implementation), flash(), passport.authenticate('session') as RequestHandler)
    app.post(
      '/login',
      passport.authenticate('local', { successRedirect: '/', failureRedirect: '/sorry', ...options }) as RequestHandler,
    )
    app.post('/logout', (req, res, next) => req.logout(options, (error: unknown) => (error ? next(error) : res.redirect('/'))))
    app.use('/cart', handle(count))
    app.use(
      handle((req, res) => {
        const messages = req.session.messages as string[] | undefined
        const user = req.user === undefined ? null : Reflect.get(req.user, 'name')
        res.json({ user, views: req.session.views ?? null, messages: messages ?? [], in: req.isAuthenticated() })
      }),
    )
  })
}

const LOGIN = '/login?username=alice&password=granite'
const POST = { method: 'POST' }

forEachImplementation('passport', (implementation) => {
  test('with passport a person logs in under a new id, is known on every page, and logs out for good', async () => {
    const place = await withPassport(implementation)
    const visitor = place.visitor()
    await visitor.get('/cart')
    const before = visitor.cookie
    const { status, headers } = await visitor.get(LOGIN, POST)
    expect([status, headers.get('location')]).toEqual([302, '/'])
    expect(visitor.cookie).not.toBe(before)
    expect(JSON.parse((await visitor.get()).text)).toEqual({ user: 'alice', views: null, messages: [], in: true })
    const { cookie } = visitor
    await visitor.get('/logout', POST)
    expect(JSON.parse((await visitor.get()).text)).toMatchObject({ user: null, in: false })
    expect(JSON.parse((await place.get('/', { cookie })).text)).toMatchObject({ user: null, in: false })
    expect(place.errors).toEqual([])
  })

  test('with passport a person keeps a cart over login and logout where keepSessionInfo asks for it', async () => {
    const visitor = (await withPassport(implementation, { keepSessionInfo: true })).visitor()
    await visitor.get('/cart')
    await visitor.get(LOGIN, POST)
    expect(JSON.parse((await visitor.get()).text)).toMatchObject({ user: 'alice', views: 1 })
    await visitor.get('/logout', POST)
    expect(JSON.parse((await visitor.get()).text)).toMatchObject({ user: null, views: 1 })
  })

  test('with passport a person who mistyped is told why, and is not logged in', async () => {
    const visitor = (await withPassport(implementation, { failureMessage: true })).visitor()
    const { headers } = await visitor.get('/login?username=alice&password=marble', POST)
    expect(headers.get('location')).toBe('/sorry')
    expect(JSON.parse((await visitor.get('/sorry')).text)).toMatchObject({ user: null, messages: ['wrong name or password'] })
  })

  test('with passport a visitor who only looks gets no session for it', async () => {
    const place = await withPassport(implementation)
    expect((await place.get()).lines).toEqual([])
  })
})

forEachImplementation('connect-flash', (implementation) => {
  test('with connect-flash a visitor reads a message once', async () => {
    const place = await openApp((app) => {
      app.use(middlewareOf(implementation), flash())
      app.get(
        '/say',
        handle((req, res) => {
          Reflect.apply(Reflect.get(req, 'flash') as () => void, req, ['info', 'saved'])
          res.redirect('/')
        }),
      )
      app.use(handle((req, res) => res.json(Reflect.apply(Reflect.get(req, 'flash') as () => string[], req, ['info']))))
    })
    const visitor = place.visitor()
    await visitor.get('/say')
    expect((await visitor.get()).text).toBe('["saved"]')
    expect((await visitor.get()).text).toBe('[]')
  })
})

forEachImplementation('csrf-sync', (implementation) => {
  test('with csrf-sync a form of our own page is taken, one without its token is refused', async () => {
    const { generateToken, csrfSynchronisedProtection } = csrfSync()
    const place = await openApp((app) => {
      app.use(middlewareOf(implementation))
      app.get('/form', (req, res) => void res.send(generateToken(req as never)))
      app.post('/send', csrfSynchronisedProtection as RequestHandler, (_req, res) => void res.send('taken'))
    })
    const visitor = place.visitor()
    const { text: token } = await visitor.get('/form')
    expect((await visitor.get('/send', { ...POST, headers: { 'x-csrf-token': token } })).text).toBe('taken')
    expect((await visitor.get('/send', POST)).text).toContain('csrf')
    expect((await place.get('/send', { ...POST, headers: { 'x-csrf-token': token } })).text).toContain('csrf')
  })
})

forEachImplementation('ws', (implementation) => {
  test('with ws a socket has the session of its visitor, and what it saves is there at the next request', async () => {
    const middleware = middlewareOf(implementation)
    const server = createServer(express().use(middleware, handle(count)))
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', (req: IncomingMessage, socket, head) => {
      middleware(req, {} as ServerResponse, () => {
        const { session } = req as unknown as Req
        if (session?.views === undefined) return void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
        sockets.handleUpgrade(req, socket, head, (ws) => {
          ws.on('message', () => {
            void called((done) => session.reload(done))
              .then(() => {
                const current = (req as unknown as Req).session
                current.views = (current.views ?? 0) + 10
                return called((done) => current.save(done)).then(() => ws.send(String(current.views)))
              })
              .catch((error: unknown) => ws.send(String(error)))
          })
          ws.send(`hello ${session.views}`)
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const visit = async (cookie?: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, cookie === undefined ? {} : { headers: { cookie } })
      return { text: await answer.text(), cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' }
    }
    const { cookie } = await visit()
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie } })
    const received: string[] = []
    await new Promise<void>((resolve, reject) => {
      ws.on('error', reject)
      ws.on('message', (data: Buffer) => {
        received.push(data.toString())
        if (received.length < 3) ws.send('more')
        else resolve()
      })
    })
    expect(received).toEqual(['hello 1', '11', '21'])
    expect((await visit(cookie)).text).toBe('22')
    const stranger = new WebSocket(`ws://127.0.0.1:${port}/`)
    const refused = await new Promise((resolve) => {
      stranger.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      stranger.on('error', () => {})
    })
    expect(refused).toBe(401)
  })
})
