// The measured applications, one per process: the same Express app and the same route each time, behind something else. Sends its port.
import { createServer } from 'node:http'
import { join } from 'node:path'
import express, { type Express, type Request, type RequestHandler } from 'express'
import { createMembership } from '../src/membership.ts'
import { MemoryStore, type SessionMiddleware, session } from '../src/session/index.ts'
import { SqliteStore } from '../src/session/sqlite-store.ts'

const USER = {
  id: '0d5e7e6a-6f0b-4d0e-9a53-0d8f5b1f8a10',
  username: 'benchmark',
  displayName: 'benchmark',
  email: null,
  emailVerified: false,
  roles: [],
  createdAt: '2026-01-01T00:00:00.000Z',
}
const SECRET = 'a secret of more than thirty-two bytes, for measuring'
const HOUR_MS = 3_600_000

const [name = '', folder = ''] = process.argv.slice(2)

const apps: Readonly<Record<string, (app: Express, base: string) => void | Promise<void>>> = {
  'bare Express': (app) => {
    app.get('/profile', (_req, res) => void res.json({ user: USER }))
  },
  'express-session, MemoryStore': async (app) => {
    const { default: expressSession } = await importPeer('express-session')
    app.use(expressSession({ secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: HOUR_MS } }))
    addRoutes(app)
  },
  'guildhall/session, memory, signed': (app) => {
    app.use(session({ store: new MemoryStore(), secret: SECRET }))
    addRoutes(app)
  },
  'guildhall/session, SQLite': (app) => {
    app.use(session({ store: new SqliteStore({ path: join(folder, 'sessions.db') }) }))
    addRoutes(app)
  },
  'guildhall as a library': async (app, base) => {
    const membership = createMembership({ baseUrl: base, database: `sqlite:${join(folder, 'members.db')}`, rateLimit: false })
    await membership.migrate()
    app.use(membership)
    app.get('/bare', (_req, res) => void res.json({ user: USER }))
    app.get('/diary', membership.requireLogin, (req, res) => void res.json({ user: req.user }))
  },
}

const app = express()
const server = createServer(app)
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
const add = apps[name]
if (add === undefined) throw new TypeError(`there is no application ${name}`)
await add(app, `http://127.0.0.1:${address.port}`)
process.on('SIGTERM', () => process.exit())
process.on('disconnect', () => process.exit())
process.send?.({ port: address.port })

/** A login in the data of the session, a route that asks for it, and one that does not. */
function addRoutes(app: Express): void {
  app.post('/login', (req, res) => {
    Object.assign(req.session, { userId: USER.id })
    res.json({ user: USER })
  })
  const requireLogin: RequestHandler = (req, res, next) => {
    if (userIdOf(req) === undefined) return void res.status(401).json({ code: 'login_required' })
    next()
  }
  app.get('/profile', requireLogin, (_req, res) => void res.json({ user: USER }))
  app.get('/bare', (_req, res) => void res.json({ user: USER }))
}

function userIdOf({ session }: Request): unknown {
  return 'userId' in session ? session.userId : undefined
}

/** A package that only the benchmark needs: the type check of the project does without it. */
async function importPeer(peer: string): Promise<{ default: (options: object) => RequestHandler | SessionMiddleware }> {
  return await import(peer)
}
