// createMembership(): composes everything into one middleware.
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { startBackground } from './core/background.ts'
import { type Core, createCore } from './core/core.ts'
import { type OutboxWork, type OutboxWorker, startOutbox } from './core/outbox-worker.ts'
import type { EventName, Listener } from './domain/events.ts'
import { toUser, type User } from './domain/user.ts'
import { FEATURES, type FeatureOptions } from './features/all.ts'
import { checkFeatures, checkRoutes } from './http/check-features.ts'
import { createHttpContext } from './http/create-http-context.ts'
import type { AnyFeature } from './http/feature.ts'
import { createGuards, type Guards } from './http/guards.ts'
import type { HttpContext } from './http/http-context.ts'
import { mailWork } from './http/mail-work.ts'
import { describeApi } from './http/openapi.ts'
import { isAllowedOrigin } from './http/origin-check.ts'
import { createPaths } from './http/paths.ts'
import { createPipeline } from './http/pipeline.ts'
import { createRouter } from './http/router.ts'
import { type Route, routesOf } from './http/routes.ts'
import { isGroup, settingsFrom } from './settings/check.ts'
import type { MembershipOptions as CheckedOptions, FeatureChoices, Settings } from './settings/options.ts'
import { createUsers, type Users } from './users/users.ts'

/** Middleware for `app.use(membership)`: once, without a mount path, before or after `express.json()`. */
export interface Membership extends RequestHandler, Guards {
  /**
   * The user of a request, also of a WebSocket's upgrade request; undefined if nobody is logged in, or if the upgrade comes from another
   * site.
   */
  user(req: IncomingMessage): Promise<User | undefined>
  /** The use cases without HTTP. */
  readonly users: Users
  /** Calls a listener after something has happened: `membership.on('registered', ({ user }) => ...)`. */
  on<Name extends EventName>(event: Name, listener: Listener<Name>): void
  /** Brings the schema of the database up to date. Call it before the first request; several processes may do so at once. */
  migrate(): Promise<void>
  /** The JSON API of this membership as OpenAPI 3.1, with its paths and its cookie, to be served or to generate clients from. */
  openapi(): OpenApiDocument
  /** Waits for running hashes, then closes the database and the Redis connection that it opened. */
  close(): Promise<void>
}

/** An OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), for JSON. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, object>>
  readonly components: object
}

/** The options of a membership, with the names of all features. */
export interface MembershipOptions extends CheckedOptions {
  readonly features?: FeatureOptions
}

/** A membership and its internals, for our own server and command line. */
export interface Internals {
  readonly membership: Membership
  readonly core: Core
  readonly http: HttpContext
  readonly settings: Settings
  /** Undefined if mail is not set up, and in a command. */
  readonly outbox: OutboxWorker | undefined
  /** What the mails of the outbox are made from. */
  readonly mails: OutboxWork
  /** The routes of all actions that are served. */
  readonly routes: readonly Route[]
  /** Every path that is served, with `:name` for parameters. */
  readonly paths: readonly string[]
}

/**
 * Makes a membership. Synchronous; opens the database, but changes nothing in it. Throws one TypeError that lists every fault of the options.
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

/** `command`: it ends soon, and its mails are sent by the server. */
export function openInternals(options: MembershipOptions, purpose: 'serve' | 'command' = 'serve'): Internals {
  // All options are checked before the database is opened, which may create a file.
  const { settings, served, paths, routes } = readOptions(options)
  const core = createCore(settings)
  const http = createHttpContext(core, paths, FEATURES, served)
  const guards = createGuards(http)
  const stopBackground = startBackground(core)
  const mails = mailWork(http, paths, served)
  const outbox = purpose === 'serve' ? startOutbox(core, mails) : undefined

  const membership: Membership = Object.assign(createPipeline(http, createRouter(http, routes)), guards, {
    async user(req: IncomingMessage) {
      // CORS does not cover WebSockets, and subdomains of one site send Strict cookies: another origin must not open one as its visitor.
      if (req.headers.upgrade !== undefined && !isAllowedOrigin(http, req)) return undefined
      const session = await http.sessions.read(req)
      return session?.user && toUser(session.user)
    },
    users: createUsers(core),
    on<Name extends EventName>(event: Name, listener: Listener<Name>) {
      core.events.on(event, listener)
    },
    migrate: () => core.db.migrate(),
    openapi: () => describeApi(http, routes),
    async close() {
      await Promise.all([stopBackground(), outbox?.stop(), http.sessions.close()])
      await core.passwords.close()
      await core.db.close()
    },
  })
  const internals = { membership, core, http, settings, outbox, mails, routes, paths: routes.map(({ path }) => path) }
  INTERNALS.set(membership, internals)
  return internals
}

const INTERNALS = new WeakMap<Membership, Internals>()

/** The internals of a membership. Throws a TypeError if it is none, or comes from another copy of this package. */
export function internalsOf(membership: Membership): Internals {
  const internals = INTERNALS.get(membership)
  if (!internals) throw new TypeError('this is no membership of this copy of guildhall: pass what createMembership returned')
  return internals
}

/** Throws one TypeError that names every fault. */
function readOptions(options: MembershipOptions) {
  if (!isGroup(options))
    throw new TypeError(
      "createMembership needs options: { baseUrl: 'https://example.org', database: 'sqlite:./data/members.db' }",
    )
  const { settings: checked, faults } = settingsFrom(options, ['features'])
  const fault = (text: string) => void faults.push(text)
  const { features: choices = {} } = options
  const before = faults.length
  checkFeatures(choices, FEATURES, fault)
  // Routes can only be made from valid choices.
  if (faults.length > before) throw refusal(faults)
  const settings: Settings = choices.registration === false ? { ...checked, registration: 'closed' } : checked
  const chosen: FeatureChoices = choices
  const served = FEATURES.filter(({ name, needs }: AnyFeature) => chosen[name] !== false && needs?.(settings) !== false)
  const paths = createPaths(settings.path, FEATURES, choices, served)
  const routes = routesOf(served, paths, settings)
  checkRoutes(choices, routes, fault)
  if (faults.length > 0) throw refusal(faults)
  return { settings, served, paths, routes }
}

function refusal(faults: readonly string[]): TypeError {
  return new TypeError(`createMembership: ${faults.join('; ')}`)
}
