// Puts `req.user`, `req.locale`, `req.login` and `req.logout` on every request.
import type { Request } from 'express'
import { signInById } from '../core/sign-in.ts'
import { signOut } from '../core/sign-out.ts'
import { MembershipError } from '../domain/errors.ts'
import { toUser, type User } from '../domain/user.ts'
import type { Locale } from '../i18n/translate.ts'
import { RequestCaller } from './caller.ts'
import { asHostError } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { localeFor } from './locale-for.ts'

type Done = (error?: unknown) => void
type Callback = [done: Done] | [options: object, done: Done]

/** The options of `req.login`; those of passport are ignored. */
interface LoginOptions {
  /**
   * Whether another site may send this request, like the `form_post` of an identity provider: only if the route has checked a state that it
   * gave to this browser. Default: false, and such a write is refused with `cross_site_request`.
   */
  readonly crossSite?: boolean
}

declare global {
  namespace Express {
    // Interfaces, as in @types/passport, so that they merge with the application's own; the methods merge as overloads.
    interface User extends GuildhallUser {}
    interface Request {
      /** The user who is logged in. Assigning it throws. */
      user?: User | undefined
      /**
       * The language of our pages for this visitor: chosen in this browser, else stored for the user, else the browser's, else the site's.
       */
      locale: Locale
      /** Logs in a user whom the application has authenticated, under a new session id. Hook and status are checked as at any login. */
      login(user: { readonly id: string }, options?: LoginOptions): Promise<void>
      login(user: { readonly id: string }, ...rest: Callback): void
      logIn(user: { readonly id: string }, options?: LoginOptions): Promise<void>
      logIn(user: { readonly id: string }, ...rest: Callback): void
      /** Ends the session and clears the cookie; may be called again. */
      logout(): Promise<void>
      logout(...rest: Callback): void
      logOut(): Promise<void>
      logOut(...rest: Callback): void
      isAuthenticated(): this is AuthenticatedRequest
      isUnauthenticated(): this is UnauthenticatedRequest
    }
    interface AuthenticatedRequest extends Request {
      user: User
    }
    interface UnauthenticatedRequest extends Request {
      user?: undefined
    }
  }
}

type GuildhallUser = User

const context = Symbol('guildhall membership')

interface ExtendedRequest extends Request {
  [context]?: HttpContext
}

// Shared by all requests, so that all have one hidden class, and requests that use none of them cost nothing.
const PROPERTIES: PropertyDescriptorMap & ThisType<ExtendedRequest> = {
  user: {
    configurable: true,
    enumerable: true,
    get(): User | undefined {
      const row = this[context]?.sessions.row(this)?.user
      return row && toUser(row)
    },
    set() {
      throw new TypeError(
        'req.user says who is logged in and cannot be assigned: log a user of this membership in by req.login, also where passport has authenticated somebody',
      )
    },
  },
  locale: {
    configurable: true,
    enumerable: true,
    get(): Locale | undefined {
      const http = this[context]
      return http && localeFor(http, this)
    },
    // Other middleware may set a language of its own under this name.
    set(value: unknown) {
      Object.defineProperty(this, 'locale', { value, configurable: true, enumerable: true, writable: true })
    },
  },
}

export function extendRequest(http: HttpContext, req: Request): void {
  const extended: ExtendedRequest = req
  extended[context] = http
  Object.defineProperties(req, PROPERTIES)
  req.login = login
  req.logIn = login
  req.logout = logout
  req.logOut = logout
  // TypeScript has no functions that are type guards of their `this`.
  req.isAuthenticated = isAuthenticated as Request['isAuthenticated']
  req.isUnauthenticated = isUnauthenticated as Request['isUnauthenticated']
}

function login(this: Request, user: { readonly id: string }, options?: LoginOptions): Promise<void>
function login(this: Request, user: { readonly id: string }, ...rest: Callback | []): void
function login(
  this: Request,
  user: { readonly id: string },
  ...rest: readonly (object | Done | undefined)[]
): Promise<void> | void {
  const [options] = rest
  const crossSite = typeof options === 'object' && 'crossSite' in options && options.crossSite === true
  return answer(signInUser(this, user, crossSite), rest.at(-1))
}

function logout(this: Request): Promise<void>
function logout(this: Request, ...rest: Callback | []): void
function logout(this: Request, ...rest: Callback | []): Promise<void> | void {
  const http = contextOf(this)
  return answer(signOut(http.core, new RequestCaller(http, this)), rest.at(-1))
}

function isAuthenticated(this: Request): boolean {
  return contextOf(this).sessions.row(this)?.user !== undefined
}

function isUnauthenticated(this: Request): boolean {
  return !isAuthenticated.call(this)
}

async function signInUser(req: Request, user: { readonly id: string }, crossSite: boolean): Promise<void> {
  const http = contextOf(req)
  if (typeof user?.id !== 'string')
    throw new TypeError('req.login takes a user of this membership, with its id: membership.users.find(name)')
  // A refusal reaches the application's error handler with status, code and the hook's text.
  const caller = new RequestCaller(http, req)
  const result = await signInById(http.core, user.id, { crossSite }, caller).catch((error: unknown) => {
    if (error instanceof MembershipError && error.code === 'cross_site_request') {
      const { path } = req
      http.core.log.warn(
        { path, requestId: caller.requestId },
        'req.login was refused, as another site sent the request: a route that has checked a state of its own calls req.login(user, { crossSite: true })',
      )
    }
    throw error instanceof MembershipError ? asHostError(http, req, error) : error
  })
  if (!result) throw new TypeError(`req.login: there is no user with the id ${user.id}`)
}

function contextOf(req: ExtendedRequest): HttpContext {
  const http = req[context]
  if (!http) throw new TypeError('this request has not met its membership: put app.use(membership) in front')
  return http
}

/** Calls the callback as passport does; without one, returns a promise. */
function answer(work: Promise<void>, done: object | Done | undefined): Promise<void> | void {
  if (typeof done !== 'function') return work
  const callback: (error?: unknown) => unknown = (error) => Reflect.apply(done, undefined, error === undefined ? [] : [error])
  work.then(
    () => process.nextTick(callback),
    (error: unknown) => process.nextTick(callback, error),
  )
}
