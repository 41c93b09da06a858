// The engine: reads the cookie, loads the session, notices what the application changed, saves it before the response ends.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../domain/clock.ts'
import { digest } from '../domain/secret.ts'
import { expiryAfter, isExpired, needsTouch, type SessionLimits } from '../domain/session.ts'
import { isPromise } from './awaitable.ts'
import { type CookieSettings, carriesCookie, idReader, MOST_CANDIDATES, type ReadIds } from './cookie.ts'
import { Recent } from './recent.ts'
import type { NewLogin } from './row.ts'
import { reservedNames, Session, type SessionSource } from './session.ts'
import type { Awaitable, SessionRow, SessionStore } from './store.ts'
import { sweepRegularly } from './sweeper.ts'
import { type Engine, type Found, Visit } from './visit.ts'

export type { NewLogin } from './row.ts'
export { SessionEnded } from './visit.ts'

// How many recent touches are remembered; when there are more, some sessions are touched once more than needed.
const MOST_TOUCHED = 20_000

type Next = (error?: unknown) => void

export interface SessionsOptions<Row extends SessionRow = SessionRow> {
  readonly store: SessionStore<Row>
  readonly cookie: CookieSettings
  readonly limits: SessionLimits
  readonly clock: Clock
  /** The class of `req.session`. Default: Session. What it adds to its prototype cannot be a key of the data. */
  readonly SessionClass?: (new (source: SessionSource<Row>) => Session<Row>) | undefined
  /** Whether a row that was found is a live session. Default: where it has not expired. */
  judge?(row: Row, now: number): boolean
  /** Hears of failures that fail no request. Default: a process warning. */
  onError?(error: unknown, step: 'touch' | 'sweep'): void
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
}

declare module 'http' {
  interface IncomingMessage {
    [VISIT]?: AnyVisit
  }
}

/** Sessions for requests. One per application: the middleware is `handle`. */
export class Sessions<Row extends SessionRow = SessionRow> {
  readonly #options: SessionsOptions<Row>
  readonly #engine: Engine<Row>
  readonly #readIds: ReadIds
  readonly #touched = new Recent<number>(MOST_TOUCHED)
  readonly #stopSweeping: () => Promise<void>

  constructor(options: SessionsOptions<Row>) {
    const { store, cookie, limits, clock, SessionClass = Session } = options
    Object.preventExtensions(SessionClass.prototype)
    this.#options = options
    this.#readIds = idReader(cookie)
    this.#engine = {
      store,
      cookie,
      limits,
      clock,
      SessionClass,
      reserved: reservedNames(SessionClass),
      isLive: (row) => this.#isLive(row),
      hashesOf: (req) => this.#readIds(req.headers.cookie).map(digest),
    }
    this.#stopSweeping = sweepRegularly(store, clock, (error) => {
      this.#report(error, 'sweep')
    })
  }

  /** The middleware. Steps one and two: reads the cookie, loads the session. `Visit` notices and saves. */
  readonly handle = (req: IncomingMessage, res: ServerResponse, next: Next): void => {
    const visit = req[VISIT]
    if (this.#owns(visit)) return next()
    if ('session' in req && req.session !== undefined) return next(secondSession())
    const ids = this.#candidates(req)
    let found: Awaitable<Found<Row> | undefined>
    try {
      found = this.#load(ids)
    } catch (error) {
      return next(error)
    }
    if (!isPromise(found)) return this.#begin(req, res, next, found)
    // A store that fails is an error, never an anonymous visitor where somebody was logged in.
    found.then((loaded) => this.#begin(req, res, next, loaded)).catch(next)
  }

  /** The live session of a request without a response, such as the upgrade of a WebSocket. */
  read(req: IncomingMessage): Awaitable<Row | undefined> {
    const visit = req[VISIT]
    if (this.#owns(visit)) return visit.row
    const found = this.#load(this.#candidates(req))
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

  #candidates(req: IncomingMessage): readonly string[] {
    const ids = this.#readIds(req.headers.cookie)
    return ids.length > MOST_CANDIDATES ? ids.slice(0, MOST_CANDIDATES) : ids
  }

  /** The first id that leads to a live session; in the usual case there is one id, and the store is asked once. */
  #load(ids: readonly string[], from = 0): Awaitable<Found<Row> | undefined> {
    for (let at = from; at < ids.length; at++) {
      const id = ids[at] ?? ''
      const row = this.#engine.store.find(digest(id))
      if (isPromise(row)) return row.then((found) => this.#accept(id, found) ?? this.#load(ids, at + 1))
      const accepted = this.#accept(id, row)
      if (accepted) return accepted
    }
    return undefined
  }

  #accept(id: string, row: Row | undefined): Found<Row> | undefined {
    if (!this.#isLive(row)) return undefined
    this.#touch(row)
    return { id, row }
  }

  #isLive(row: Row | undefined): row is Row {
    if (row === undefined) return false
    const now = this.#engine.clock.now()
    return this.#options.judge ? this.#options.judge(row, now) : !isExpired(row, now)
  }

  #begin(req: IncomingMessage, res: ServerResponse, next: Next, found: Found<Row> | undefined): void {
    req[VISIT] = new Visit(this.#engine, req, res, next, found)
    Object.defineProperty(req, 'session', SESSION)
    Object.defineProperty(req, 'sessionID', SESSION_ID)
    next()
  }

  /** Marks a session as seen, at most once per interval, however many requests come at once. Nobody waits for it. */
  #touch(row: Row): void {
    const { clock, store } = this.#engine
    const now = clock.now()
    if (!needsTouch(row, now)) return
    const touchedAt = this.#touched.get(row.hash)
    if (touchedAt !== undefined && !needsTouch({ lastSeenAt: touchedAt, idleMs: row.idleMs }, now)) return
    this.#touched.set(row.hash, now)
    const failed = (error: unknown): void => {
      this.#touched.delete(row.hash)
      this.#report(error, 'touch')
    }
    try {
      const touched = store.touch(row.hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) })
      if (isPromise(touched)) touched.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #report(error: unknown, step: 'touch' | 'sweep'): void {
    if (this.#options.onError) return this.#options.onError(error, step)
    process.emitWarning(`sessions: ${step} failed: ${error instanceof Error ? error.message : String(error)}`)
  }

  #visit(req: IncomingMessage): Visit<Row> {
    const visit = req[VISIT]
    if (this.#owns(visit)) return visit
    throw new TypeError(
      'this request has no session: put the session middleware in front, app.use(session()) or app.use(membership)',
    )
  }

  #owns(visit: AnyVisit | undefined): visit is Visit<Row> {
    return visit?.engine === this.#engine
  }
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

function secondSession(): TypeError {
  return new TypeError(
    'this request has a req.session already: use one session middleware only, the membership brings its own (remove app.use(session(...)))',
  )
}
