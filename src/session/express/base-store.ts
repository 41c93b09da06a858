// `Store`: what stores inherit from that were written for express-session.
import { EventEmitter } from 'node:events'
import { Session } from '../request/session.ts'
import type { DetachedRequest, Done, StoredSession } from './callback-store.ts'

// Methods one by one: a class that extends this one could not override mapped properties by methods.
export interface Store extends EventEmitter {
  get?(id: string, callback: (error?: unknown, session?: StoredSession | null) => void): unknown
  set?(id: string, session: StoredSession, callback?: Done): unknown
  destroy?(id: string, callback?: Done): unknown
  touch?(id: string, session: StoredSession, callback?: Done): unknown
  all?(callback: (error?: unknown, sessions?: unknown) => void): unknown
  length?(callback: (error?: unknown, count?: number) => void): unknown
  clear?(callback?: Done): unknown
  /** Ends the session of a request and gives it a new one. */
  regenerate(req: DetachedRequest, callback: Done): void
  /** Finds a session by its id, outside of any request of a browser. */
  load(id: string, callback: (error?: unknown, session?: Session) => void): void
  /** Makes the session of a request from what was stored. */
  createSession(req: DetachedRequest, stored: StoredSession): Session
  /** Gives a request a new session. The middleware sets it. */
  generate(req: DetachedRequest): void
}

/** A plain constructor function: old stores `call` it. */
export interface StoreConstructor extends Omit<typeof EventEmitter, 'prototype'> {
  new (options?: unknown): Store
  (this: object, options?: unknown): void
  readonly prototype: Store
}

function construct(this: EventEmitter): void {
  Reflect.apply(EventEmitter, this, [])
}

// The function below gets the prototype that this type promises.
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
