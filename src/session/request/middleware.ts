// The engine: reads the cookie and loads the session (load.ts), hands the request on, notices what changed and saves it (request-session.ts).
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startCleanup } from '../../database/cleanup.ts'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import type { Clock } from '../../domain/clock.ts'
import { digest } from '../../domain/secret.ts'
import { isExpired, type SessionLimits } from '../../domain/session-lifetime.ts'
import { type CookieAttributes, type CookieSettings, carriesCookie, idReader } from '../cookies/cookie.ts'
import { coversPath } from '../cookies/path.ts'
import type { NewLogin } from '../row.ts'
import type { SessionRow, SessionStore } from '../store.ts'
import { DEFAULT_BEHAVIOR, type Engine, type Found, type SessionBehavior } from './engine.ts'
import { Loader } from './load.ts'
import type { Next } from './request-session.ts'
import { reservedNames, Session } from './session.ts'
import type { SessionOperations } from './session-operations.ts'
import { Visit } from './visit.ts'

export type { NewLogin } from '../row.ts'

export interface SessionsOptions<Row extends SessionRow = SessionRow> {
  readonly store: SessionStore<Row>
  readonly cookie: CookieSettings
  readonly limits: SessionLimits
  readonly clock: Clock
  /** Default: those of a membership. */
  readonly behavior?: SessionBehavior | undefined
  /** What `req.sessionStore` is. Default: there is none. */
  readonly publicStore?: object | undefined
  /** Whether a request that brings a `req.session` of somebody else is passed on. Default: false, it is an error. */
  readonly yields?: boolean | undefined
  /** The class of `req.session`. Default: Session. What it adds to its prototype cannot be a key of the data. */
  readonly SessionClass?: (new (source: SessionOperations<Row>) => Session<Row>) | undefined
  /** Whether a row that was found is a live session. Default: where it has not expired. */
  judge?(row: Row, now: number): boolean
  /** Hears of failures that fail no request. Default: a process warning. */
  onError?(error: unknown, step: 'touch' | 'cleanup'): void
}

export interface RenewOptions extends NewLogin {
  /** Default: those of the middleware. */
  readonly limits?: SessionLimits | undefined
  /** Whether the cookie outlives the browser. Default: false, or true where the cookie has a `maxAgeMs`. */
  readonly persistent?: boolean | undefined
  /** Keys of the old session that the new one takes over. Default: none. */
  readonly keep?: readonly string[] | undefined
  /** Whether the session at hand must still be there; else `SessionEnded` is thrown. Default: false. */
  readonly continues?: boolean | undefined
}

// What the steps of one request share hangs on the request itself, under a name that nobody else has.
const VISIT = Symbol('guildhall session')

interface AnyVisit {
  readonly engine: object
  readonly session: object | undefined
  readonly id: string
  abandon(): void
  begin(): void
}

type WithStore = IncomingMessage & { sessionStore?: object }

declare module 'http' {
  interface IncomingMessage {
    [VISIT]?: AnyVisit
  }
}

/** Sessions for requests. One per application: the middleware is `handle`. */
export class Sessions<Row extends SessionRow = SessionRow> {
  readonly #options: SessionsOptions<Row>
  readonly #engine: Engine<Row>
  readonly #loader: Loader<Row>
  readonly #stopSweeping: () => Promise<void>

  constructor(options: SessionsOptions<Row>) {
    const { store, cookie, limits, clock, behavior = DEFAULT_BEHAVIOR, SessionClass = Session } = options
    Object.preventExtensions(SessionClass.prototype)
    Object.freeze(SessionClass)
    const readIds = idReader(cookie)
    const keyOf = (id: string): string => store.keyOf?.(id) ?? digest(id)
    store.attach?.({ limits, clock })
    this.#options = options
    this.#engine = {
      store,
      cookie,
      limits,
      clock,
      behavior,
      SessionClass,
      reserved: reservedNames(SessionClass),
      isLive: (row) => this.#isLive(row),
      keyOf: store.keyOf ? keyOf : digest,
      hashesOf: (req) => readIds(req.headers.cookie).map(keyOf),
    }
    this.#loader = new Loader(this.#engine, readIds, (error) => {
      this.#report(error, 'touch')
    })
    this.#stopSweeping = startCleanup(store, clock, (error) => {
      this.#report(error, 'cleanup')
    })
  }

  /** The middleware: read, load; `RequestSession` notices and saves. */
  readonly handle = (req: IncomingMessage, res: ServerResponse, next: Next): void => {
    if (this.#owns(req[VISIT])) return next()
    if ('session' in req && req.session !== undefined && req.session !== null) {
      return this.#options.yields ? next() : next(secondSession())
    }
    let attributes: CookieAttributes
    let found: Awaitable<Found<Row> | undefined>
    try {
      attributes = this.#engine.behavior.attributesFor?.(req) ?? this.#engine.cookie
      if (attributes.path !== '/' && !coversPath(attributes.path, req)) return next()
      found = this.#loader.load(this.#loader.ids(req))
    } catch (error) {
      return next(error)
    }
    if (!isPromise(found)) return this.#begin({ req, res, next, attributes }, found)
    // A store that fails is an error, never an anonymous visitor where somebody was logged in.
    // What the next handler throws is not handed to it once more: it would be called twice.
    found.then((loaded) => this.#begin({ req, res, next, attributes }, loaded), next)
  }

  /** The live session of a request without a response, such as the upgrade of a WebSocket. */
  read(req: IncomingMessage): Awaitable<Row | undefined> {
    const visit = req[VISIT]
    if (this.#owns(visit)) return visit.row
    const found = this.#loader.load(this.#loader.ids(req))
    return isPromise(found) ? found.then((loaded) => loaded?.row) : found?.row
  }

  /** Whether the middleware has seen a request and could load its session. */
  handled(req: IncomingMessage): boolean {
    return this.#owns(req[VISIT])
  }

  /** The live row behind a request that was handled. Parses nothing, takes hold of nothing. */
  row(req: IncomingMessage): Row | undefined {
    const visit = req[VISIT]
    return this.#owns(visit) ? visit.row : undefined
  }

  /** Whether the request carries the cookie, live or not. */
  carriesCookie(req: IncomingMessage): boolean {
    return carriesCookie(req.headers.cookie, this.#engine.cookie)
  }

  /** Starts a login: a new row under a new id. The id that the request came with is dead, the new one goes out with this response. */
  renew(req: IncomingMessage, { limits, persistent, keep, continues = false, ...login }: RenewOptions): Promise<Row> {
    const { cookie, limits: usual } = this.#engine
    return this.#visit(req).renew({
      login,
      limits: limits ?? usual,
      persistent: persistent ?? cookie.maxAgeMs !== undefined,
      keep: keep ?? [],
      continues,
    })
  }

  /** Ends the session of a request and clears its cookie: in any state, as often as asked. */
  end(req: IncomingMessage): Promise<void> {
    return this.#visit(req).destroy()
  }

  /** Stops what runs in the background. The store belongs to who made it. */
  close(): Promise<void> {
    return this.#stopSweeping()
  }

  #isLive(row: Row | undefined): row is Row {
    if (row === undefined) return false
    const now = this.#engine.clock.now()
    return this.#options.judge ? this.#options.judge(row, now) : !isExpired(row, now)
  }

  #begin(
    request: { req: WithStore; res: ServerResponse; next: Next; attributes: CookieAttributes },
    found: Found<Row> | undefined,
  ): void {
    const { req, next } = request
    req[VISIT] = new Visit(this.#engine, request, found)
    Object.defineProperty(req, 'session', SESSION)
    Object.defineProperty(req, 'sessionID', SESSION_ID)
    const { publicStore } = this.#options
    if (publicStore) req.sessionStore = publicStore
    next()
  }

  #report(error: unknown, step: 'touch' | 'cleanup'): void {
    if (this.#options.onError) return this.#options.onError(error, step)
    process.emitWarning(`sessions: ${step} failed: ${error instanceof Error ? error.message : String(error)}`)
  }

  #visit(req: IncomingMessage): Visit<Row> {
    const visit = req[VISIT]
    if (this.#owns(visit)) return visit
    throw noSession()
  }

  #owns(visit: AnyVisit | undefined): visit is Visit<Row> {
    return visit?.engine === this.#engine
  }
}

/** Gives a request a new, empty session, beside what is stored of the one that it has. Whichever middleware it has it from: two may share a store. */
export function beginSession(req: IncomingMessage): void {
  const visit = req[VISIT]
  if (!visit) throw noSession()
  visit.begin()
}

// One descriptor for all requests, so that they keep one shape.
const SESSION: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[VISIT]?.session
  },
  set(value: unknown) {
    if (value !== null && value !== undefined) {
      throw new TypeError('req.session cannot be replaced: store values in it, or end it with req.session = null')
    }
    this[VISIT]?.abandon()
  },
}

const SESSION_ID: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[VISIT]?.id
  },
}

function noSession(): TypeError {
  return new TypeError(
    'this request has no session: put the session middleware in front, app.use(session()) or app.use(membership)',
  )
}

function secondSession(): TypeError {
  return new TypeError(
    'this request has a req.session already: use one session middleware only, the membership brings its own (remove app.use(session(...)))',
  )
}
