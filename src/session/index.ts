// guildhall/session: the session middleware alone, for anything with (req, res, next).
import '../domain/node-version.cts'

import type { IncomingMessage, ServerResponse } from 'node:http'
// biome-ignore lint/suspicious/noTsIgnore: an error without the package, none with it.
/** @ts-ignore: types alone, and not there without @types/express-session. */
import type * as Theirs from 'express-session'
import type { Awaitable } from '../domain/awaitable.ts'
import { isError } from '../domain/builtins.ts'
import { Cookie } from './cookies/cookie.ts'
import type { CookieOptions } from './cookies/options.ts'
import { fromExpressStore } from './express/adopted-store.ts'
import { Store } from './express/base-store.ts'
import type { ExpressStore, StoredSession } from './express/callback-store.ts'
import { StoreFacade } from './express/store-facade.ts'
import { readOptions, type SessionOptions } from './options.ts'
import { Sessions } from './request/middleware.ts'
import { beginSession, fillSession } from './request/request-properties.ts'
import { Session } from './request/session.ts'
import { MemoryStore } from './stores/memory.ts'

export type { Awaitable } from '../domain/awaitable.ts'
export type { CookieOptions } from './cookies/options.ts'
export type { FromExpressStoreOptions } from './express/adopted-store.ts'
export type { ExpressStore, StoredSession } from './express/callback-store.ts'
export type { SessionOptions } from './options.ts'
export type {
  SessionBrowsing,
  SessionCleanup,
  SessionGrace,
  SessionPatch,
  SessionRow,
  SessionRows,
  SessionSeen,
  SessionStore,
  UpdateOptions,
  UserSessions,
} from './store.ts'
export type { MemoryStoreOptions } from './stores/memory.ts'

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

/** Properties of a session that are not stored: a membership adds the user who is logged in. */
// biome-ignore lint/suspicious/noEmptyInterface: http/membership-session.ts adds to it.
export interface SessionGetters {}

declare global {
  namespace Express {
    interface Request {
      /** The session of this request. Undefined once it was ended. */
      session: SessionOfRequest
      /** The id of the session. A secret. */
      sessionID: string
      /** The store behind `req.session`, with the methods that express-session gives it. It takes ids and keeps hashes of them. */
      sessionStore: RequestStore
    }
  }
}

/**
 * Two declarations of `req.session` must be identical. If a project also has @types/express-session, as during a migration, their
 * declaration stays, and ours is added to their `Session`: both compile, and both have `req.session.isLoggedIn`.
 */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- Unknown types here, known ones beside that package.
type SessionOfRequest = Declared<Session & SessionGetters & Partial<SessionData>, Theirs.Session & Partial<Theirs.SessionData>>
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- As above.
type RequestStore = Declared<Store & ExpressStore, Theirs.Store & { generate: (req: Express.Request) => void }>

/** Beside that package as it declares them: a function that makes stores takes all of that module. */
interface SessionClasses {
  readonly Store: Declared<typeof Store, typeof Theirs.Store>
  // oxlint-disable-next-line typescript/no-redundant-type-constituents -- Unknown types here, known ones beside that package.
  readonly MemoryStore: Declared<typeof MemoryStore, typeof MemoryStore & typeof Theirs.MemoryStore>
  readonly Session: Declared<typeof Session, typeof Theirs.Session>
  readonly Cookie: Declared<typeof Cookie, typeof Theirs.Cookie>
  readonly fromExpressStore: typeof fromExpressStore
}

type Declared<Ours, Theirs> = [keyof Other] extends [never] ? Ours : Theirs

// Detects that package: without it both types are unknown, and an interface that extends an unknown one is empty.
interface Other extends Theirs.Session {}
interface Added extends SessionGetters, Partial<SessionData> {}

// biome-ignore lint/suspicious/noTsIgnore: as above.
/** @ts-ignore: as above. */
declare module 'express-session' {
  interface Session extends Added {
    regenerate(): Promise<void>
    destroy(): Promise<void>
    reload(): Promise<void>
    update<T>(change: (data: Partial<Theirs.SessionData>) => Awaitable<T>): Promise<T>
  }
}

export interface SessionMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
  /** Stops the regular cleanup of expired sessions. Closing the store is its owner's part. */
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
function makeMiddleware(options?: SessionOptions): SessionMiddleware {
  const { warn, publicStore, ...settings } = readOptions(options)
  const sessionStore = publicStore ?? new StoreFacade(settings.store, settings)
  const sessions = new Sessions({
    ...settings,
    publicStore: sessionStore,
    yields: true,
    onError: (error, step) => warn(`session: ${step} failed: ${isError(error) ? error.message : String(error)}`),
  })
  if (!Object.hasOwn(sessionStore, 'generate')) {
    const make: unknown = Reflect.get(sessionStore, 'createSession')
    const makeDetached = typeof make === 'function' ? make : Store.prototype.createSession
    const createSession = (req: object, stored: object): unknown =>
      fillSession(req, stored) ?? Reflect.apply(makeDetached, sessionStore, [req, stored])
    Object.assign(sessionStore, { generate: beginSession, createSession })
  }
  return Object.assign(sessions.handle, { close: () => sessions.close() })
}

/** The function with the properties that express-session has: the result of `require('guildhall/session')`, and the default export. */
export const session: typeof makeMiddleware & SessionClasses = Object.assign(makeMiddleware, {
  Store,
  MemoryStore,
  Session,
  Cookie,
  fromExpressStore,
} as SessionClasses)

/** The types behind the function's name: `session.SessionOptions`. */
export declare namespace session {
  type Cookie = Types['Cookie']
  type CookieOptions = Types['CookieOptions']
  type MemoryStore = Types['MemoryStore']
  type Session = Types['Session']
  type SessionData = Types['SessionData']
  type SessionOptions = Types['SessionOptions']
  type Store = Types['Store']
  type StoredSession = Types['StoredSession']
}

// In the namespace each of these names would mean its own alias.
interface Types {
  Cookie: Cookie
  CookieOptions: CookieOptions
  MemoryStore: MemoryStore
  Session: Declared<Session, Theirs.Session>
  SessionData: Declared<SessionData, Theirs.SessionData>
  SessionOptions: SessionOptions
  Store: Declared<Store, Theirs.Store>
  StoredSession: StoredSession
}

const forCommonJs = Object.assign(session, { default: session, session })

export { Cookie, forCommonJs as 'module.exports', fromExpressStore, MemoryStore, Session, Store, session as default }
