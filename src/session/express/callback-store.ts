// The contract of stores that were written for express-session, and of the sessions in them.
import type { Cookie } from '../cookies/cookie.ts'

export interface StoredSession {
  cookie: Cookie | Readonly<Record<string, unknown>>
  [key: string]: unknown
}

export type Done = (error?: unknown) => void

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

/** As much of a request as a session needs that such a store makes. */
export interface DetachedRequest {
  readonly sessionID: string
  readonly sessionStore: Partial<ExpressStore> & { regenerate?(req: DetachedRequest, callback: Done): void }
  session?: object | null
}
