// The middleware: loads the session of a request, hands it on, and has what changed saved.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { startCleanup } from '../../database/cleanup.ts'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { isError } from '../../domain/builtins.ts'
import type { Clock } from '../../domain/clock.ts'
import { digest } from '../../domain/secret.ts'
import { isExpired, type SessionLimits } from '../../domain/session-lifetime.ts'
import { cookieReader, coversPath, type ReadCookies, type SessionCookies } from '../cookies/read.ts'
import { overHttps } from '../cookies/transport.ts'
import { type CookieAttributes, type CookieSettings, issueMarker } from '../cookies/write.ts'
import type { SessionRow, SessionStore } from '../store.ts'
import { DEFAULT_BEHAVIOR, type Engine, type LoadedSession, type SessionBehavior } from './engine.ts'
import { type RenewOptions, renew } from './lifecycle.ts'
import { Loader } from './load.ts'
import { defineSession, noSession, SESSION_OF_REQUEST } from './request-properties.ts'
import { RequestSession } from './request-session.ts'
import type { Next, SessionRequest } from './request-state.ts'
import { type ReloadSettings, reloadMarker, sendReload } from './same-site-reload.ts'
import { freezeSessionClass, Session } from './session.ts'
import type { SessionOperations } from './session-operations.ts'

export interface SessionsOptions<Row extends SessionRow = SessionRow> {
  readonly store: SessionStore<Row>
  readonly cookie: CookieSettings
  readonly limits: SessionLimits
  readonly clock: Clock
  /** Default: those of a membership. */
  readonly behavior?: SessionBehavior | undefined
  /** The texts and colours of the page of a same-site reload. */
  readonly reload?: ReloadSettings | undefined
  /** What `req.sessionStore` is. Default: there is none. */
  readonly publicStore?: object | undefined
  /** Whether a request that already has a `req.session` of another middleware is passed on. Default: false, it is an error. */
  readonly yields?: boolean | undefined
  /** The class of `req.session`. Default: Session. What it adds to its prototype cannot be a key of the data. */
  readonly SessionClass?: (new (operations: SessionOperations<Row>) => Session<Row>) | undefined
  /** Whether a stored row is a live session. Default: if it has not expired. */
  judge?(row: Row, now: number): boolean
  /** Called when a session is touched. Nobody waits for it. */
  onTouch?(row: Row): void
  /** Called for failures that fail no request. Default: a process warning. */
  onError?(error: unknown, step: 'touch' | 'cleanup'): void
}

type WithStore = IncomingMessage & { sessionStore?: object }

/** Sessions for requests. One per application: the middleware is `handle`. */
export class Sessions<Row extends SessionRow = SessionRow> {
  readonly #options: SessionsOptions<Row>
  readonly #engine: Engine<Row>
  readonly #readCookies: ReadCookies
  readonly #loader: Loader<Row>
  readonly #stopCleanup: () => Promise<void>

  constructor(options: SessionsOptions<Row>) {
    const { store, cookie, limits, clock, behavior = DEFAULT_BEHAVIOR, SessionClass = Session } = options
    let reserved: ReadonlySet<string> | undefined
    const freezeClass = (): ReadonlySet<string> => {
      reserved ??= freezeSessionClass(SessionClass)
      return reserved
    }
    const keyOf = (id: string): string => store.keyOf?.(id) ?? digest(id)
    store.attach?.({ limits, clock })
    this.#options = options
    this.#engine = {
      store,
      cookie,
      limits,
      clock,
      behavior,
      makeSession(operations) {
        freezeClass()
        return new SessionClass(operations)
      },
      get reserved() {
        return freezeClass()
      },
      isLive: (row): row is Row => {
        if (row === undefined) return false
        const now = clock.now()
        return options.judge ? options.judge(row, now) : !isExpired(row, now)
      },
      keyOf: store.keyOf ? keyOf : digest,
    }
    this.#readCookies = cookieReader(cookie)
    this.#loader = new Loader(this.#engine, {
      onTouch: (row) => options.onTouch?.(row),
      onError: (error) => {
        this.#report(error, 'touch')
      },
    })
    this.#stopCleanup = startCleanup(store, clock, (error) => {
      this.#report(error, 'cleanup')
    })
  }

  readonly handle = (req: IncomingMessage, res: ServerResponse, next: Next): void => {
    if (this.#of(req)) return next()
    if ('session' in req && req.session !== undefined && req.session !== null) {
      return this.#options.yields ? next() : next(secondSession())
    }
    let attributes: CookieAttributes
    let cookies: SessionCookies
    let found: Awaitable<LoadedSession<Row> | undefined>
    try {
      attributes = this.#engine.behavior.attributesFor?.(req) ?? this.#engine.cookie
      if (attributes.path !== '/' && !coversPath(attributes.path, req)) return next()
      cookies = this.#readCookies(req.headers.cookie)
      if (this.#reloads({ req, res, cookies, attributes })) return
      if (this.#options.store.isDisconnected && !cookies.hasSession) return next()
      found = this.#loader.load(cookies.ids)
    } catch (error) {
      return next(error)
    }
    const request: SessionRequest = { req, res, next, cookies, attributes }
    if (!isPromise(found)) return this.#begin(request, found)
    // A failing store is an error: a member must not look anonymous.
    // `next` is no `catch`: what a later handler throws would call it a second time.
    found.then((loaded) => this.#begin(request, loaded), next)
  }

  /** The live session of a request without a response, such as the upgrade of a WebSocket. */
  read(req: IncomingMessage): Awaitable<Row | undefined> {
    const current = this.#of(req)
    if (current) return current.row
    const found = this.#loader.load(this.#readCookies(req.headers.cookie).ids)
    return isPromise(found) ? found.then((loaded) => loaded?.row) : found?.row
  }

  /** Whether the middleware has seen a request and could load its session. */
  handled(req: IncomingMessage): boolean {
    return this.#of(req) !== undefined
  }

  /** The live row behind a request that was handled. Parses nothing, defers nothing. */
  row(req: IncomingMessage): Row | undefined {
    return this.#of(req)?.row
  }

  /** Starts a login: a new row under a new id. The id of the request is dead, the new one goes out with this response. */
  renew(req: IncomingMessage, options: RenewOptions): Promise<Row> {
    return renew(this.#requestSession(req), options)
  }

  /** Ends the session of a request and clears its cookie, in any state; may be called again. */
  end(req: IncomingMessage): Promise<void> {
    return this.#requestSession(req).destroy()
  }

  /** Stops the cleanup. The store stays open. */
  close(): Promise<void> {
    return this.#stopCleanup()
  }

  /** If the browser holds the session cookie back, responds with a page that reloads. Returns whether it did. */
  #reloads(request: Omit<SessionRequest, 'next'>): boolean {
    const { req, res, cookies, attributes } = request
    if (cookies.hasSession || cookies.markers.length === 0) return false
    const { cookie, clock, behavior } = this.#engine
    const now = clock.now()
    const marker = reloadMarker(request, now)
    if (marker === undefined) return false
    const secure = attributes.secure === 'auto' ? overHttps(req, behavior.transport) : attributes.secure
    const markerOptions = { attributes, secure, maxAgeMs: attributes.maxAgeMs, now }
    sendReload(req, res, issueMarker(cookie.name, marker, markerOptions), this.#options.reload)
    return true
  }

  #begin(request: SessionRequest & { readonly req: WithStore }, found: LoadedSession<Row> | undefined): void {
    const { req, next } = request
    req[SESSION_OF_REQUEST] = new RequestSession(this.#engine, request, found)
    defineSession(req)
    const { publicStore } = this.#options
    if (publicStore) req.sessionStore = publicStore
    next()
  }

  #report(error: unknown, step: 'touch' | 'cleanup'): void {
    if (this.#options.onError) return this.#options.onError(error, step)
    process.emitWarning(`sessions: ${step} failed: ${isError(error) ? error.message : String(error)}`)
  }

  #requestSession(req: IncomingMessage): RequestSession<Row> {
    const current = this.#of(req)
    if (!current) throw noSession()
    return current
  }

  /** The session of a request if this middleware made it: another one may be in front. */
  #of(req: IncomingMessage): RequestSession<Row> | undefined {
    const current = req[SESSION_OF_REQUEST]
    // Only sessions of this object have this engine.
    return current?.engine === this.#engine ? (current as RequestSession<Row>) : undefined
  }
}

function secondSession(): TypeError {
  return new TypeError(
    'this request has a req.session already: use one session middleware only, the membership brings its own (remove app.use(session(...)))',
  )
}
