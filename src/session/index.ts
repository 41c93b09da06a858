// guildhall/session: the session middleware alone, for Express and for anything with (req, res, next).
import type { IncomingMessage, ServerResponse } from 'node:http'
// biome-ignore lint/suspicious/noTsIgnore: an error without the package, none with it.
/** @ts-ignore: types alone, and not there without @types/express-session. */
import type { Session as OtherSession, SessionData as OtherSessionData } from 'express-session'
import { MemoryStore } from './memory-store.ts'
import { Sessions } from './middleware.ts'
import { readOptions, type SessionOptions } from './options.ts'
import { Session } from './session.ts'

export type { MemoryStoreOptions } from './memory-store.ts'
export type { CookieOptions, SessionOptions } from './options.ts'
export type { SessionCookie } from './session.ts'
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
      session: RequestSession
      /** The id of the session. A secret. */
      sessionID: string
    }
  }
}

/**
 * Two declarations of `req.session` must be the same to the letter. Where a project has @types/express-session beside us, which is common
 * while it moves over, theirs stands, and ours is added to their `Session`; so both compile, and `req.session.isLoggedIn` is there in both.
 */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- Unknown types here, known ones beside that package.
type RequestSession = [keyof Other] extends [never] ? Session & SessionData : OtherSession & Partial<OtherSessionData>

// Found out by asking for the package: without it the two types are unknown, and an interface that extends an unknown one is empty.
interface Other extends OtherSession {}
type Added = SessionData

// biome-ignore lint/suspicious/noTsIgnore: as above.
/** @ts-ignore: as above. */
declare module 'express-session' {
  interface Session extends Added {
    regenerate(): Promise<void>
    destroy(): Promise<void>
    reload(): Promise<void>
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

/** What `require('guildhall/session')` gives: the function itself, as express-session does it, with the rest on it. */
const forCommonJs = Object.assign(session, { default: session, session, MemoryStore, Session })

export { forCommonJs as 'module.exports', MemoryStore, Session, session as default }
