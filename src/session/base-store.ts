// `Store`: what stores written for express-session inherit from. A plain constructor function, as old ones `call` it.
import { EventEmitter } from 'node:events'
import type { DetachedRequest } from './detached-source.ts'
import { Session } from './session.ts'
import type { Cookie } from './session-cookie.ts'

/** A session as a store of express-session keeps it. */
export interface StoredSession {
  cookie: Cookie | Readonly<Record<string, unknown>>
  [key: string]: unknown
}

type Done = (error?: unknown) => void

/** A store of express-session. `touch` is recommended; what follows it is optional. */
export interface ExpressStore {
  get(id: string, callback: (error?: unknown, session?: StoredSession | null) => void): unknown
  set(id: string, session: StoredSession, callback?: Done): unknown
  destroy(id: string, callback?: Done): unknown
  touch?(id: string, session: StoredSession, callback?: Done): unknown
  all?(callback: (error?: unknown, sessions?: unknown) => void): unknown
  length?: unknown
  clear?(callback?: Done): unknown
  on?(event: string, listener: (...args: unknown[]) => void): unknown
}

export interface Store extends EventEmitter, Partial<Omit<ExpressStore, 'on'>> {
  /** Ends the session of a request and gives it a new one. */
  regenerate(req: DetachedRequest, callback: Done): void
  /** A session by its id, apart from any request of a browser. */
  load(id: string, callback: (error?: unknown, session?: Session) => void): void
  /** Makes the session of a request from what was stored. */
  createSession(req: DetachedRequest, stored: StoredSession): Session
  /** Gives a request a new session. The middleware brings it. */
  generate(req: DetachedRequest): void
}

export interface StoreConstructor {
  new (options?: unknown): Store
  (this: object, options?: unknown): void
  readonly prototype: Store
}

function construct(this: EventEmitter): void {
  Reflect.apply(EventEmitter, this, [])
}

// The function below gets the prototype that its type promises.
export const Store = construct as unknown as StoreConstructor

Object.defineProperty(Store, 'name', { value: 'Store' })
Object.setPrototypeOf(Store, EventEmitter)
Object.setPrototypeOf(Store.prototype, EventEmitter.prototype)

Store.prototype.regenerate = function (req, callback) {
  const done = (error?: unknown): void => {
    this.generate(req)
    callback(error)
  }
  if (this.destroy) this.destroy(req.sessionID, done)
  else done()
}

Store.prototype.load = function (id, callback) {
  this.get?.(id, (error, stored) => {
    if (error) return callback(error)
    if (!stored) return callback()
    callback(undefined, this.createSession({ sessionID: id, sessionStore: this }, stored))
  })
}

Store.prototype.createSession = (req, stored) => {
  const session = new Session(req, stored)
  req.session = session
  return session
}

Store.prototype.generate = () => {
  throw new TypeError('this store makes no sessions yet: give it to session({ store }) first')
}
