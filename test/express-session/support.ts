// What the behaviour tests share: an app with a session, a visitor with cookies, a clock, watched and failing stores.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inherits } from 'node:util'
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { onTestFinished, vi } from 'vitest'
import { isMarker, send } from '../session/support.ts'
import type { AnySession, AnyStore, Done, Implementation, Middleware, Options, Row } from './implementations.ts'

export const SECRET = 'keyboard cat'
export const START = Date.UTC(2030, 0, 1)
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

/** More turns of the event loop than a store inside the process needs to be read and marked. */
const TURNS = 6

export interface Req extends Omit<Request, 'session' | 'sessionID' | 'sessionStore'> {
  session: AnySession
  sessionID: string
  sessionStore: AnyStore
}
export type Handler = (req: Req, res: Response, next: NextFunction) => unknown

export interface OpenApp {
  readonly url: string
  readonly store: AnyStore
  /** What reached the error handler. */
  readonly errors: readonly unknown[]
  /** The first of them. It may come after the answer. */
  readonly error: Promise<unknown>
  visitor(): Visitor
  /** One visit without cookies. */
  get(path?: string, options?: Visit): Promise<Answer>
}

/** What express-session has by default but for the two that it asks everybody to set. */
export function withDefaults(implementation: Implementation, options: Options = {}): Options {
  return { secret: SECRET, resave: false, saveUninitialized: false, store: implementation.newStore(), warn: () => {}, ...options }
}

/** The middleware, closed after the test. */
export function middlewareOf(implementation: Implementation, options: Options = {}): Middleware {
  const middleware = implementation.session(withDefaults(implementation, options))
  onTestFinished(() => middleware.close?.())
  return middleware
}

/** An Express application with the session in front, and one handler for every path. */
export function open(implementation: Implementation, options: Options, handler: Handler): Promise<OpenApp> {
  const store = (options.store as AnyStore | undefined) ?? implementation.newStore()
  const middleware = middlewareOf(implementation, { ...options, store })
  return openApp((app) => {
    app.use(middleware)
    app.use(handle(handler))
  }, store)
}

/** An Express application; errors end in `errors`, and in an answer if there is none yet. */
export async function openApp(build: (app: Express) => void, store?: AnyStore): Promise<OpenApp> {
  const errors: unknown[] = []
  const first = Promise.withResolvers<unknown>()
  const app = express()
  app.set('env', 'test')
  build(app)
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    errors.push(error)
    first.resolve(error)
    if (!res.headersSent) res.status(500).json({ failed: error instanceof Error ? error.message : String(error) })
    else res.end()
  })
  const url = await listen(app)
  return openAt(url, store, { errors, error: first.promise })
}

/** A server without Express. */
export async function openPlain(listener: RequestListener): Promise<OpenApp> {
  return openAt(await listen(listener))
}

export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

function openAt(url: string, store?: AnyStore, received?: Pick<OpenApp, 'errors' | 'error'>): OpenApp {
  const visitor = () => new Visitor(url)
  const { errors = [], error = Promise.resolve(undefined) } = received ?? {}
  return { url, errors, error, visitor, get: (path, options) => visitor().get(path, options), store: store as AnyStore }
}

export function handle(handler: Handler): RequestHandler {
  return handler as unknown as RequestHandler
}

export interface Visit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of what the jar has. */
  readonly cookie?: string
}

export interface SetCookie {
  readonly line: string
  readonly name: string
  readonly value: string
  /** By lower-case name; '' where it has no value. */
  readonly attributes: ReadonlyMap<string, string>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly complete: boolean
  /** Every cookie that is set, as it was sent; but for the marker that ours lays beside a Strict cookie: `differences.test.ts`. */
  readonly lines: readonly string[]
  /** The session cookie that is handed out; a cookie that is taken away is none. */
  readonly cookie: SetCookie | undefined
}

/** Keeps cookies by name alone. */
export class Visitor {
  /** Markers of ours, apart from what both have. */
  readonly markers = new Map<string, string>()
  readonly jar = new Map<string, string>()
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async get(path = '/', { method = 'GET', headers = {}, cookie }: Visit = {}): Promise<Answer> {
    const sent = cookie ?? this.cookie
    const answer = await send(this.#url + path, { method, headers, ...(sent !== '' && { cookie: sent }) })
    // Ours marks a session as seen without delaying the visitor; let it finish before the clock moves.
    for (let turn = 0; turn < TURNS; turn++) await nextTurn()
    let session: SetCookie | undefined
    for (const line of answer.setCookies) {
      const parsed = parseSetCookie(line)
      const jar = isMarker(line) ? this.markers : this.jar
      if (isTakenAway(parsed)) jar.delete(parsed.name)
      else jar.set(parsed.name, parsed.value)
      if (/^s(?:%3A|:)/.test(parsed.value)) session = parsed
    }
    const { status, text, complete } = answer
    return {
      status,
      headers: answer.headers,
      text,
      complete,
      lines: answer.setCookies.filter((line) => !isMarker(line)),
      cookie: session,
    }
  }

  /** The cookie header of this visitor. */
  get cookie(): string {
    return [...this.jar, ...this.markers].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

export function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const attributes = rest.map((part): [string, string] => {
    const [name = '', value = ''] = part.split('=', 2)
    return [name.toLowerCase(), value]
  })
  return { line, name: pair.slice(0, at), value: pair.slice(at + 1), attributes: new Map(attributes) }
}

function isTakenAway({ attributes }: SetCookie): boolean {
  return attributes.get('max-age') === '0' || Date.parse(attributes.get('expires') ?? '') === 0
}

/** Milliseconds from now until the cookie expires; undefined if it ends with the browser. */
export function lifetime(cookie: SetCookie | undefined): number | undefined {
  const expires = cookie?.attributes.get('expires')
  return expires === undefined ? undefined : Date.parse(expires) - Date.now()
}

/** The id in a signed cookie. */
export function idIn(cookie: SetCookie | string | undefined): string {
  const value = typeof cookie === 'string' ? cookie : (cookie?.value ?? '')
  const text = decodeURIComponent(value.replace(/^[^=]*=/, ''))
  return text.slice(2, text.lastIndexOf('.'))
}

/** Holds `Date` still until it is moved. Timers and the network go on. */
export function handClock(): { forward(ms: number): void } {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  onTestFinished(() => void vi.useRealTimers())
  return { forward: (ms) => void vi.setSystemTime(Date.now() + ms) }
}

/** Hears what express-session says about options it would rather not have; else it prints that. */
export function ignoreDeprecations(): void {
  const ignore = () => {}
  process.on('deprecation', ignore)
  onTestFinished(() => void process.off('deprecation', ignore))
}

/** Counts views, and answers with their number. */
export const count: Handler = (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1
  res.send(String(req.session.views))
}

/** Writes at `/write`, only reads at other paths. */
export const writeAtWrite: Handler = (req, res) => {
  if (req.path === '/write') req.session.views = (req.session.views ?? 0) + 1
  res.send(String(req.session.views ?? 'nothing'))
}

type Verb = 'get' | 'set' | 'touch' | 'destroy'
const NATIVE: Readonly<Record<string, Verb>> = { find: 'get', create: 'set', update: 'set', touch: 'touch', delete: 'destroy' }
const CALLBACKS: Readonly<Record<string, Verb>> = { get: 'get', set: 'set', touch: 'touch', destroy: 'destroy' }

/** The implementation's own store, with the list of what it was asked to do; `calls` in the words of express-session. */
export function watched(
  implementation: Implementation,
  store: AnyStore = implementation.newStore(),
): { store: AnyStore; calls: Verb[] } {
  const calls: Verb[] = []
  const methods = Reflect.has(store, 'find') ? NATIVE : CALLBACKS
  for (const [name, verb] of Object.entries(methods)) {
    const real: unknown = Reflect.get(store, name)
    if (typeof real !== 'function') continue
    Reflect.set(store, name, (...args: unknown[]) => {
      calls.push(verb)
      return Reflect.apply(real, store, args)
    })
  }
  return { store, calls }
}

/** How often each was asked since the last look. */
export function tally(calls: Verb[]): Partial<Record<Verb, number>> {
  const sums: Partial<Record<Verb, number>> = {}
  for (const verb of calls.splice(0)) sums[verb] = (sums[verb] ?? 0) + 1
  return sums
}

export interface HomeMade extends AnyStore {
  readonly rows: Map<string, string>
  readonly calls: Verb[]
  /** What a verb answers instead of doing its work. */
  readonly errors: Partial<Record<Verb, unknown>>
}

/** A store as people wrote them for express-session: a function that calls `Store` and inherits from it. */
export function homeMade(implementation: Implementation, { sync = false, touch = true } = {}): HomeMade {
  const { Store } = implementation.session
  const later = sync ? (work: () => void) => work() : setImmediate
  function HomeMadeStore(this: HomeMade): void {
    ;(Store as unknown as () => void).call(this)
    Object.assign(this, { rows: new Map(), calls: [], errors: {} })
  }
  inherits(HomeMadeStore, Store)
  const methods: Record<string, (this: HomeMade, ...args: never[]) => void> = {
    get(this: HomeMade, id: string, done: Done) {
      this.calls.push('get')
      const text = this.rows.get(id)
      later(() => done(this.errors.get ?? null, text === undefined ? null : JSON.parse(text)))
    },
    set(this: HomeMade, id: string, row: Row, done?: Done) {
      this.calls.push('set')
      if (this.errors.set === undefined) this.rows.set(id, JSON.stringify(row))
      later(() => done?.(this.errors.set ?? null))
    },
    destroy(this: HomeMade, id: string, done?: Done) {
      this.calls.push('destroy')
      if (this.errors.destroy === undefined) this.rows.delete(id)
      later(() => done?.(this.errors.destroy ?? null))
    },
    touch(this: HomeMade, id: string, row: Row, done?: Done) {
      this.calls.push('touch')
      const text = this.rows.get(id)
      if (text !== undefined) this.rows.set(id, JSON.stringify({ ...JSON.parse(text), cookie: row.cookie }))
      later(() => done?.(this.errors.touch ?? null))
    },
  }
  if (!touch) delete methods.touch
  Object.assign(HomeMadeStore.prototype, methods)
  return Reflect.construct(HomeMadeStore, []) as HomeMade
}

/** The result of a function that takes a callback. */
export function called<T>(work: (done: (error?: unknown, value?: T | null) => void) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => work((error, value) => (error ? reject(error) : resolve(value ?? undefined))))
}

/** A slow request of one browser and a quick one in the middle of it, each of which writes a key of its own; gives what is there of both. */
export async function writeTwiceAtOnce(implementation: Implementation, options: Options): Promise<unknown> {
  const gate = Promise.withResolvers<void>()
  const inside = Promise.withResolvers<void>()
  const place = await open(implementation, options, async (req, res) => {
    const name = req.path.slice(1)
    if (name === 'read') return void res.json([req.session.slow ?? null, req.session.quick ?? null])
    req.session[name] = true
    if (name === 'slow') {
      inside.resolve()
      await gate.promise
    }
    res.end()
  })
  const visitor = place.visitor()
  await visitor.get('/start')
  const slow = visitor.get('/slow')
  await inside.promise
  await visitor.get('/quick')
  gate.resolve()
  await slow
  return JSON.parse((await visitor.get('/read')).text)
}
