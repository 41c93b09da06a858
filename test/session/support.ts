// What the session tests share: a clock moved by hand, an Express app on a real port, a browser with cookies.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { MemoryStore, type SessionStore } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'
import { onTestFinished } from 'vitest'
import type { CookieSettings } from '../../src/session/cookies/write.ts'
import { Sessions, type SessionsOptions } from '../../src/session/request/middleware.ts'

declare module 'guildhall/session' {
  interface SessionData {
    views?: number
    cart?: unknown
  }
}

export const START = 1_800_000_000_000
export const MINUTE = 60_000

export class HandClock {
  time = START
  now(): number {
    return this.time
  }
  forward(ms: number): void {
    this.time += ms
  }
}

/** Every store that comes with the package, and one that answers later, as a store on another machine does. */
export const STORES: readonly (readonly [string, () => SessionStore])[] = [
  ['memory', () => new MemoryStore()],
  ['memory, answering later', () => laterStore(new MemoryStore())],
  ['SQLite', () => new SqliteStore({ path: ':memory:' })],
]

/** The same store behind promises. `before` may hold a call back. */
export function laterStore(store: SessionStore, before: (verb: string) => Promise<unknown> = () => setImmediate()): SessionStore {
  const later = <T>(verb: string, work: () => T | Promise<T>) => before(verb).then(work)
  return {
    create: (row) => later('create', () => store.create(row)),
    find: (hash) => later('find', () => store.find(hash)),
    update: (hash, patch, options) => later('update', () => store.update(hash, patch, options)),
    touch: (hash, seen) => later('touch', () => store.touch(hash, seen)),
    supersede: (hash, until) => later('supersede', () => store.supersede(hash, until)),
    delete: (hashes) => later('delete', () => store.delete(hashes)),
    listByUser: (userId) => store.listByUser(userId),
    deleteByUser: (userId, options) => store.deleteByUser(userId, options),
    deleteExpired: (now, limit) => store.deleteExpired(now, limit),
    close: () => store.close(),
  }
}

/** A store that counts its calls. */
export function countingStore(store: SessionStore = new MemoryStore()): { store: SessionStore; calls: string[] } {
  const calls: string[] = []
  const counted = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.push(String(name))
        return Reflect.apply(value, target, args)
      }
    },
  })
  return { store: counted, calls }
}

export const COOKIE: CookieSettings = { name: 'sid', secure: 'auto', sameSite: 'strict', path: '/', httpOnly: true }
export const LIMITS = { idleMs: 15 * MINUTE, absoluteMs: 12 * 60 * MINUTE }

export const ADA = { userId: 'ada', credentialEpoch: 1, factors: 'password', ip: '::1', userAgent: 'test' }

export interface TestApp {
  readonly clock: HandClock
  readonly store: SessionStore
  readonly sessions: Sessions
  readonly app: Express
  readonly url: string
}

/** An Express app with the engine in front and routes behind, on a port of its own. */
export async function application(
  routes: (app: Express, sessions: Sessions) => void,
  options: Partial<SessionsOptions> = {},
): Promise<TestApp> {
  const clock = new HandClock()
  const store = options.store ?? new MemoryStore({ clock })
  const sessions = new Sessions({ cookie: COOKIE, limits: LIMITS, clock, ...options, store })
  const app = express()
  app.use(sessions.handle)
  routes(app, sessions)
  app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error)
    res.status(500).json({ failed: error.message })
  })
  app.set('env', 'test')
  const url = await serve(app)
  onTestFinished(() => sessions.close())
  return { clock, store, sessions, app, url }
}

export async function serve(app: Express): Promise<string> {
  const server: Server = app.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly setCookies: readonly string[]
  readonly complete: boolean
}

/** One request as it is: raw header values, no cookie jar. */
export function send(
  url: string,
  options: { method?: string; cookie?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { method = 'GET', cookie, headers } = options
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, headers: { ...headers, ...(cookie !== undefined && { cookie }) }, agent: false },
      (res) => {
        let text = ''
        res.setEncoding('utf8')
        res.on('data', (chunk: string) => {
          text += chunk
        })
        const done = () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: new Headers(
              Object.entries(res.headers).flatMap(([name, value]) =>
                typeof value === 'string' ? [[name, value] as [string, string]] : [],
              ),
            ),
            text,
            setCookies: res.headers['set-cookie'] ?? [],
            complete: res.complete,
          })
        res.on('end', done)
        res.on('error', done)
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

/** A browser with the session cookie and its marker: keeps what it is given, drops what is taken away. */
export class Browser {
  /** The session cookie, as `name=value`. */
  cookie: string | undefined
  marker: string | undefined
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async get(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
    const cookie = this.header
    const answer = await send(this.#url + path, { ...options, ...(cookie !== '' && { cookie }) })
    for (const line of answer.setCookies) {
      const [pair] = line.split(';')
      this[isMarker(line) ? 'marker' : 'cookie'] = line.includes('Max-Age=0') ? undefined : pair
    }
    return answer
  }

  /** The Cookie header. */
  get header(): string {
    return [this.cookie, this.marker].filter((pair) => pair !== undefined).join('; ')
  }

  get id(): string {
    return this.cookie?.split('=')[1] ?? ''
  }
}

/** Whether a Set-Cookie is of the marker of a Strict session cookie. */
export function isMarker(line: string): boolean {
  return /^[^=]*-seen=/.test(line)
}

export function namesOf(setCookies: readonly string[]): string[] {
  return setCookies.map((line) => line.slice(0, line.indexOf('=')))
}
