// The contract of stores that were written for express-session, and of the sessions in them.

/** A session as such a store keeps it: its values and its `cookie`. */
export interface StoredSession {
  // biome-ignore lint/suspicious/noExplicitAny: what other packages declare as a session's data has no index signature, and fits no other one.
  [key: string]: any
}

export type Done = (error?: unknown) => void

/** A store of express-session. `touch` is recommended; the methods after it are optional. */
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

/** The part of a request that such a store needs to make a session. */
export interface DetachedRequest {
  readonly sessionID: string
  readonly sessionStore: Partial<ExpressStore> & { regenerate?(req: DetachedRequest, callback: Done): void }
  session?: object | null
}
