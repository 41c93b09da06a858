// `req.session` and `req.sessionID`: what a request of the middleware has.
import type { IncomingMessage } from 'node:http'

// What the steps of one request share hangs on the request itself, under a name that nobody else has.
export const SESSION_OF_REQUEST = Symbol('guildhall session')

interface AnyRequestSession {
  readonly engine: object
  readonly session: object | undefined
  readonly id: string
  abandon(): void
  begin(): void
  fill(stored: object): object
}

declare module 'http' {
  interface IncomingMessage {
    [SESSION_OF_REQUEST]?: AnyRequestSession
  }
}

/** Gives a request a new, empty session, beside what is stored of the one that it has. Whichever middleware it has it from: two may share a store. */
export function beginSession(req: IncomingMessage): void {
  const current = req[SESSION_OF_REQUEST]
  if (!current) throw noSession()
  current.begin()
}

/** Puts what was stored into the session of a request, which keeps its id. Undefined where the request has none of ours. */
export function fillSession(req: object, stored: object): object | undefined {
  const current = SESSION_OF_REQUEST in req ? (req as IncomingMessage)[SESSION_OF_REQUEST] : undefined
  return current?.fill(stored)
}

/** Gives a request its `session` and `sessionID`. */
export function defineSession(req: IncomingMessage): void {
  Object.defineProperty(req, 'session', SESSION)
  Object.defineProperty(req, 'sessionID', SESSION_ID)
}

// One descriptor for all requests, so that they keep one shape.
const SESSION: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[SESSION_OF_REQUEST]?.session
  },
  set(value: unknown) {
    if (value !== null && value !== undefined) {
      throw new TypeError('req.session cannot be replaced: store values in it, or end it with req.session = null')
    }
    this[SESSION_OF_REQUEST]?.abandon()
  },
}

const SESSION_ID: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  enumerable: true,
  get() {
    return this[SESSION_OF_REQUEST]?.id
  },
  set(value: unknown) {
    if (value === this[SESSION_OF_REQUEST]?.id) return
    throw new TypeError(
      'req.sessionID cannot be set: a session has the id that its cookie brought, or a new one. req.session.regenerate() gives a new one, req.sessionStore.load(id) the session of another id',
    )
  },
}

export function noSession(): TypeError {
  return new TypeError(
    'this request has no session: put the session middleware in front, app.use(session()) or app.use(membership)',
  )
}
