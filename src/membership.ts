// createMembership(): where everything is put together. One function, one `app.use`.
import type { IncomingMessage } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { startBackground } from './core/background.ts'
import type { Core } from './core/core.ts'
import { secretsOf } from './core/development-secret.ts'
import { keysFor } from './core/keys.ts'
import { isLive } from './core/live-session.ts'
import { createThrottle, unlimited } from './core/throttle.ts'
import { type EventName, Events, type Listener } from './domain/events.ts'
import { toUser, type User } from './domain/user.ts'
import { languageRoutes } from './features/language/routes.ts'
import { loginRoutes, logoutRoutes } from './features/login/routes.ts'
import { profileRoutes } from './features/profile/routes.ts'
import { reauthenticationRoutes } from './features/recent-login/routes.ts'
import { registrationRoutes } from './features/registration/routes.ts'
import { sessionRoutes } from './features/security/routes.ts'
import type { Route } from './http/action.ts'
import { asHostError, isStoreFailure } from './http/errors.ts'
import { createGuards, type Guards } from './http/guards.ts'
import type { HttpContext } from './http/http-context.ts'
import { MembershipSession } from './http/membership-session.ts'
import { isAllowedOrigin, isUnsafe, mayCarryCookie } from './http/origin-check.ts'
import { extendRequest } from './http/request-extensions.ts'
import { refuse, refuseCrossSite, setHeaders } from './http/respond.ts'
import { createRouter, pathOf, type Router } from './http/router.ts'
import { createUrl } from './http/url.ts'
import { createHasher } from './passwords/hasher.ts'
import { Sessions } from './session/request/middleware.ts'
import { readOptions, refuseUnknown } from './settings/check.ts'
import {
  FEATURE_NAMES,
  FEATURE_PATHS,
  type FeatureName,
  type FeatureOptions,
  type MembershipOptions,
  movedPaths,
  type Settings,
} from './settings/options.ts'
import { LOCAL_PATH } from './settings/table.ts'
import type { LiveSession } from './storage/contract.ts'
import { openDatabase } from './storage/open.ts'
import { createUsers, type Users } from './users/users.ts'
import { createAssets } from './views/assets.ts'
import { createViews } from './views/render.ts'

/** Middleware for `app.use(membership)`: once, without a mount path, before or after `express.json()`. */
export interface Membership extends RequestHandler, Guards {
  /** The user behind a request, also behind the upgrade request of a WebSocket; undefined where nobody is logged in, and for an upgrade from another site. */
  user(req: IncomingMessage): Promise<User | undefined>
  /** The use cases without HTTP. */
  readonly users: Users
  /** Tells what happened, after it happened: `membership.on('registered', ({ user }) => ...)`. */
  on<Name extends EventName>(event: Name, listener: Listener<Name>): void
  /** Brings the database up to date. Call it once before the first request; two processes may call it at once. */
  migrate(): Promise<void>
  /** Waits for hashes that run, closes the database and what was opened to Redis. */
  close(): Promise<void>
}

/** A membership and the rooms behind it, for our own server and command line. */
export interface Internals {
  readonly membership: Membership
  readonly core: Core
  readonly http: HttpContext
  readonly settings: Settings
  /** What is served, action by action. */
  readonly routes: readonly Route[]
  /** Every path that is served, with `:name` for its parts. */
  readonly paths: readonly string[]
}

/**
 * Makes a membership. Synchronous; opens the database, changes nothing in it. Throws one TypeError that lists every fault of the options.
 *
 * @example
 * const membership = createMembership({ baseUrl: 'http://localhost:3000', database: 'sqlite:./data/members.db' })
 * await membership.migrate()
 * app.use(membership)
 * app.get('/diary', membership.requireLogin, (req, res) => res.send(`Hello ${req.user?.username}`))
 */
export function createMembership(options: MembershipOptions): Membership {
  return openInternals(options).membership
}

export function openInternals(options: MembershipOptions): Internals {
  const features = options.features ?? {}
  const settings = checkOptions(options, features)
  const core = createCore(settings)
  const http = createHttp(core, features)
  const guards = createGuards(http)
  const stopSweeping = startBackground(core)
  const routes = routesOf(features)
  const router = createRouter(http, routes)

  const membership: Membership = Object.assign(handler(http, router), guards, {
    async user(req: IncomingMessage) {
      // No CORS guards a WebSocket, and a Strict cookie travels from a sibling subdomain: another site must not open one as its visitor.
      if (req.headers.upgrade !== undefined && !isAllowedOrigin(http, req)) return undefined
      const session = await http.sessions.read(req)
      return session?.user && toUser(session.user)
    },
    users: createUsers(core),
    on<Name extends EventName>(event: Name, listener: Listener<Name>) {
      core.events.on(event, listener)
    },
    migrate: () => core.db.migrate(),
    async close() {
      await Promise.all([stopSweeping(), http.sessions.close()])
      await core.passwords.close()
      await core.db.close()
    },
  })
  const internals = { membership, core, http, settings, routes, paths: routes.map((route) => pathOf(http, route)) }
  INTERNALS.set(membership, internals)
  return internals
}

const INTERNALS = new WeakMap<Membership, Internals>()

/** The rooms behind a membership. Throws a TypeError for what is none, or one of another copy of this package. */
export function internalsOf(membership: Membership): Internals {
  const internals = INTERNALS.get(membership)
  if (!internals) throw new TypeError('this is no membership of this copy of guildhall: pass what createMembership returned')
  return internals
}

/** Throws one TypeError that names every fault. */
function checkOptions(options: MembershipOptions, features: FeatureOptions): Settings {
  const { settings, faults } = readOptions(options, ['features'])
  checkFeatures(features, (fault) => faults.push(fault))
  if (faults.length > 0) throw new TypeError(`createMembership: ${faults.join('; ')}`)
  return features.registration === false ? { ...settings, registration: 'closed' } : settings
}

function checkFeatures(features: FeatureOptions, fault: (text: string) => void): void {
  refuseUnknown('features.', features, FEATURE_NAMES, fault)
  for (const [name, choice] of Object.entries(features)) {
    if (choice === false || choice === undefined) continue
    const { path, ...rest } = choice
    refuseUnknown(`features.${name}.`, rest, ['path'], fault)
    if (!LOCAL_PATH.test(path ?? ''))
      fault(`features.${name} must be false or { path: '/some/path' }, without a slash at the end`)
    if (/^\/(?:api|assets)(?:\/|$)/.test(path ?? '')) fault(`features.${name}.path must not begin with /api or /assets`)
  }
}

/** What each feature serves; what is left out is not there at all. */
function routesOf(features: FeatureOptions): readonly Route[] {
  const all: Readonly<Record<FeatureName, readonly Route[]>> = {
    registration: registrationRoutes,
    login: loginRoutes,
    logout: logoutRoutes,
    profile: profileRoutes,
    security: sessionRoutes,
    reauthentication: reauthenticationRoutes,
    language: languageRoutes,
  }
  return FEATURE_NAMES.flatMap((name) => (features[name] === false ? [] : all[name]))
}

function createCore(settings: Settings): Core {
  const { clock, passwords, logger } = settings
  const [throttleKey] = keysFor('throttle', secretsOf(settings))
  const hasher = createHasher({
    algorithm: passwords.hash,
    argon2: { memoryKiB: passwords.memoryKiB, passes: passwords.passes },
    bcryptCost: passwords.bcryptCost,
    peppers: passwords.peppers,
    ...(passwords.workers !== undefined && { workers: passwords.workers }),
    queueLimit: passwords.queueLimit,
  })
  // Opened last: what is wrong is told before a file is made.
  const db = openDatabase(settings.database, { redis: settings.redis, log: logger })
  return {
    clock,
    db,
    passwords: hasher,
    throttle: settings.rateLimit ? createThrottle(db.counters, clock, throttleKey.bytes) : unlimited,
    events: new Events((error, event) => logger.error({ err: error, event }, 'a listener of an event failed')),
    hooks: settings.hooks,
    log: logger,
    settings,
  }
}

function createHttp(core: Core, features: FeatureOptions): HttpContext {
  const { settings } = core
  const { cookie, path, baseUrl } = settings
  const cookieName = cookie.secure ? `__Host-${cookie.name}` : cookie.name
  const leftOut = new Set<string>(FEATURE_NAMES.filter((name) => features[name] === false).map((name) => FEATURE_PATHS[name]))
  const url = createUrl(path, movedPaths(features))
  const { paths, files } = createAssets(settings.styleSheet)
  return {
    core,
    cookieName,
    sessions: new Sessions<LiveSession>({
      store: core.db.sessions,
      cookie: { name: cookieName, secure: cookie.secure, sameSite: cookie.sameSite, path: '/', httpOnly: true },
      limits: settings.session,
      clock: core.clock,
      SessionClass: MembershipSession,
      judge: isLive,
      onError: (error, step) => core.log.warn({ err: error, step }, 'the session store did not take a write'),
    }),
    views: createViews({ siteName: settings.siteName, url, serves: (path) => !leftOut.has(path), assets: paths }),
    assets: files,
    path,
    url,
    home: features.profile === false ? '/' : url('/profile'),
    origin: baseUrl.origin,
    trustedOrigins: new Set(settings.trustedOrigins),
    strictOrigin: settings.strictOrigin,
    production: settings.production,
    locale: settings.locale,
  }
}

/** The walk of every request: origin check, session, our paths; everything else goes on to the host. */
function handler(http: HttpContext, router: Router) {
  let migrated = false
  return function handle(req: Request, res: Response, next: NextFunction): void {
    if (!migrated) {
      const goOn = () => {
        migrated = true
        handle(req, res, next)
      }
      const failed = (error: unknown) => {
        // That nobody migrated is the programmer's to read; a store that is away comes back.
        if (!isStoreFailure(error)) return next(error)
        refuseOrPassOn(http, { req, res, next, isOurs: router.find(req) !== undefined }, error)
      }
      http.core.db.check().then(goOn).catch(failed)
      return
    }
    if (req.baseUrl !== '')
      return next(new TypeError("app.use(membership) takes no mount path; the option path: '/members' moves its pages"))
    const serve = router.find(req)
    // Before anything is parsed, loaded or saved.
    if (isUnsafe(req.method) && (serve !== undefined || mayCarryCookie(http, req)) && !isAllowedOrigin(http, req)) {
      return refuseCrossSite(http, req, res)
    }
    extendRequest(http, req)
    http.sessions.handle(req, res, (error?: unknown) => {
      if (error !== undefined && error !== null) {
        return refuseOrPassOn(http, { req, res, next, isOurs: serve !== undefined }, error)
      }
      if (serve) return serve(req, res)
      next()
    })
  }
}

/** A failure on our paths is answered by us, on those of the host by the host. */
function refuseOrPassOn(
  http: HttpContext,
  { req, res, next, isOurs }: { req: Request; res: Response; next: NextFunction; isOurs: boolean },
  error: unknown,
): void {
  if (!isOurs) return next(asHostError(http, req, error))
  setHeaders(req, res)
  refuse(http, req, res, error)
}
