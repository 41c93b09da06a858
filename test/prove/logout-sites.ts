// The sites of the logout race: each with a store behind a barrier, a login, a logout, a slow route that writes late, and one that asks who is there.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import express, { type Express, type Request, type Response } from 'express'
import { buildHouse } from '../../src/membership.ts'
import { MemoryStore, session } from '../../src/session/index.ts'
import { SqliteStore } from '../../src/session/sqlite-store.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { ask, cookieOf } from './ask.ts'
import { type Barrier, barrierIn } from './barrier.ts'

export interface LogoutSite {
  readonly name: string
  readonly clock: TestClock
  readonly barrier: Barrier
  /** Routes that wait for `letGo` after `slow` requests have reached their handler. */
  readonly handlers: Handlers
  /** Logs somebody in and gives the Cookie header. */
  logIn(): Promise<string>
  readonly slowUrl: string
  readonly logoutUrl: string
  /** Answers 401 where nobody is logged in. */
  readonly memberUrl: string
  /** Whether the store still has the session. */
  has(hash: string): Promise<boolean>
  close(): Promise<void>
}

const PASSWORD = 'granite lantern ferry'

/** Waits in a handler until it is let go, where somebody set it up to wait. */
export class Handlers {
  #left = 0
  #filled = Promise.withResolvers<void>()
  #opened = Promise.withResolvers<void>()

  set(count: number): { readonly full: Promise<void>; open(): void } {
    this.#left = count
    this.#filled = Promise.withResolvers()
    this.#opened = Promise.withResolvers()
    return { full: this.#filled.promise, open: () => this.#opened.resolve() }
  }

  async pass(): Promise<void> {
    if (this.#left === 0) return
    this.#left--
    if (this.#left === 0) this.#filled.resolve()
    await this.#opened.promise
  }
}

export function memorySite(): Promise<LogoutSite> {
  const clock = testClock()
  return middlewareSite('memory store', new MemoryStore({ clock }), clock)
}

export function sqliteSite(folder: string): Promise<LogoutSite> {
  return middlewareSite('SQLite store', new SqliteStore({ path: join(folder, 'sessions.db') }), testClock())
}

/** `guildhall/session` alone, with whatever store. */
export async function middlewareSite(name: string, store: SessionStore, clock: TestClock): Promise<LogoutSite> {
  const barrier = barrierIn(store)
  const handlers = new Handlers()
  const app = express()
  const sessions = session({ store, clock })
  app.use(sessions)
  app.post('/login', (req, res) => {
    Object.assign(req.session, { userId: 'somebody' })
    res.json({})
  })
  app.post('/logout', async (req, res) => {
    await req.session.destroy()
    res.status(204).end()
  })
  app.get('/member', (req, res) => void res.status('userId' in req.session ? 200 : 401).end())
  app.get('/slow', slowRoute(handlers))
  const { base, close } = await open(app)
  return {
    name,
    clock,
    barrier,
    handlers,
    logIn: async () => cookieOf(await ask(`${base}/login`, { body: {} })),
    slowUrl: `${base}/slow`,
    logoutUrl: `${base}/logout`,
    memberUrl: `${base}/member`,
    has: async (hash) => (await store.find(hash)) !== undefined,
    async close() {
      await close()
      await sessions.close()
      await store.close()
    },
  }
}

/** The membership; the logout goes to a house of its own over the same file where `elsewhere` says so. */
export async function membershipSite(folder: string, { elsewhere }: { readonly elsewhere: boolean }): Promise<LogoutSite> {
  const clock = testClock()
  const handlers = new Handlers()
  const file = join(folder, elsewhere ? 'shared.db' : 'members.db')
  const first = await openHouse(file, clock, (app, requireLogin) => app.get('/slow', requireLogin, slowRoute(handlers)))
  const second = elsewhere ? await openHouse(file, clock, () => {}) : first
  const account = { username: 'somebody', password: PASSWORD }
  await ask(`${first.base}/api/register`, { body: account })
  return {
    name: elsewhere ? 'membership, logout through another connection' : 'membership',
    clock,
    barrier: barrierIn(first.house.core.db.sessions),
    handlers,
    logIn: async () => cookieOf(await ask(`${first.base}/api/login`, { body: account })),
    slowUrl: `${first.base}/slow`,
    logoutUrl: `${second.base}/api/logout`,
    memberUrl: `${first.base}/api/profile`,
    has: async (hash) => (await first.house.core.db.sessions.find(hash)) !== undefined,
    async close() {
      await first.close()
      if (second !== first) await second.close()
    },
  }
}

async function openHouse(file: string, clock: TestClock, routes: (app: Express, requireLogin: express.RequestHandler) => void) {
  const house = buildHouse({
    baseUrl: 'http://localhost:3000',
    database: `sqlite:${file}`,
    rateLimit: false,
    passwords: { memoryKiB: 64, passes: 1, workers: 1 },
    clock,
  })
  await house.membership.migrate()
  const app = express()
  app.use(house.membership)
  routes(app, house.membership.requireLogin)
  const { base, close } = await open(app)
  return {
    house,
    base,
    async close() {
      await close()
      await house.membership.close()
    },
  }
}

function slowRoute(handlers: Handlers) {
  return async (req: Request, res: Response): Promise<void> => {
    await handlers.pass()
    Object.assign(req.session, { written: randomBytes(8).toString('hex') })
    res.json({})
  }
}

async function open(app: Express): Promise<{ base: string; close(): Promise<void> }> {
  const server = createServer(app)
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
