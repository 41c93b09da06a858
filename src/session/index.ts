// guildhall/session: the session middleware alone, for Express and for anything with (req, res, next).
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Sessions } from './middleware.ts'
import { readOptions, type SessionOptions } from './options.ts'
import type { Session } from './session.ts'

export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export type { CookieOptions, SessionOptions } from './options.ts'
export { Session, type SessionCookie } from './session.ts'
export type { Awaitable, SessionPatch, SessionRow, SessionStore } from './store.ts'

/**
 * What an application keeps in `req.session`. Declare yours:
 *
 * @example
 * declare module 'guildhall/session' {
 *   interface SessionData { views?: number }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it.
export interface SessionData {}

declare global {
  namespace Express {
    interface Request {
      /** The session of this request. Undefined once it was ended. */
      session: Session & SessionData
      /** The id of the session. A secret. */
      sessionID: string
    }
  }
}

export interface SessionMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  /** Stops the regular sweep of expired sessions. The store belongs to who made it. */
  close(): Promise<void>
}

/**
 * Makes the middleware. Throws one TypeError that lists every option that is wrong.
 *
 * @example
 * app.use(session({ store: new SqliteStore({ path: './data/sessions.db' }) }))
 * app.get('/', (req, res) => {
 *   req.session.views = (req.session.views ?? 0) + 1
 *   res.send(`${req.session.views} views`)
 * })
 */
export function session(options?: SessionOptions): SessionMiddleware {
  const { warn, ...settings } = readOptions(options)
  const sessions = new Sessions({
    ...settings,
    onError: (error, step) => warn(`session: ${step} failed: ${error instanceof Error ? error.message : String(error)}`),
  })
  return Object.assign(sessions.handle, { close: () => sessions.close() })
}

export default session
