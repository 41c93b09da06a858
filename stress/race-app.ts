// The application of the session races: the same routes for every middleware and store, with barriers.
import { createServer } from 'node:http'
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import type { Barriers } from './barriers.ts'

declare module 'guildhall/session' {
  interface SessionData {
    person?: string
    written?: string
    count?: number
  }
}

export interface Listening {
  readonly base: string
  close(): Promise<void>
}

export function raceApp(middleware: RequestHandler, barriers: Barriers): Express {
  const app = express()
  barriers.install(app)
  app.use(middleware)
  app.post('/login', (req, res) => {
    req.session.person = 'somebody'
    req.session.count = 0
    res.json({})
  })
  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.status(204).end()))
  })
  app.get('/member', (req, res) => void res.status(req.session.person === undefined ? 401 : 200).end())
  app.get('/data', (req, res) => {
    res.json({ ...req.session, cookie: undefined })
  })
  app.get('/slow/:as', slowRoute(barriers))
  // A key with a value that takes up room, so that a mixture of two would show.
  app.post('/put/:key/:value', async (req, res) => {
    await barriers.arrive('handler')
    Object.assign(req.session, { [req.params.key]: Array.from({ length: 50 }, () => req.params.value) })
    res.json({})
  })
  app.post('/count/plainly', async (req, res) => {
    const count = (req.session.count ?? 0) + 1
    await barriers.arrive('handler')
    req.session.count = count
    res.json({})
  })
  app.post('/count/atomically', async (req, res) => {
    await barriers.arrive('handler')
    await req.session.update((data) => {
      data.count = (data.count ?? 0) + 1
    })
    res.json({})
  })
  app.post('/touch', async (req, res) => {
    await new Promise<void>((done, fail) => void req.session.touch((error) => (error ? fail(error) : done())))
    res.json({})
  })
  app.post('/rotate', async (req, res, next) => {
    const { person, count } = req.session
    await barriers.arrive('handler')
    req.session.regenerate((error) => {
      if (error) return next(error)
      Object.assign(req.session, { person, count })
      res.json({})
    })
  })
  app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error)
    res.status(500).json({ failed: error.message })
  })
  return app
}

/** Reads the session, and writes to it late. Says 401 if it found nobody in it, as every application does. */
export function slowRoute(barriers: Barriers): RequestHandler<{ as: string }> {
  return async (req, res) => {
    const status = req.session.person === undefined ? 401 : 200
    await barriers.arrive('handler')
    req.session.written = req.params.as
    res.status(status).json({})
  }
}

export async function listen(app: Express): Promise<Listening> {
  const server = createServer(app)
  // A kept connection that is closed in the moment in which it is used again would look like a fault.
  server.keepAliveTimeout = 0
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return {
    base: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
