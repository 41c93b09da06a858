// The options of `session()` and all of their defaults. Every fault is named at once.
import type { IncomingMessage } from 'node:http'
import { type Clock, systemClock } from '../domain/clock.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import type { HmacKey } from '../domain/secret.ts'
import { COOKIE_OPTIONS, type CookieOptions, readCookieOptions } from './cookies/options.ts'
import { ID } from './cookies/signature.ts'
import { type CookieAttributes, type CookieSettings, MAX_COOKIE_MS } from './cookies/write.ts'
import { AdoptedStore, fromExpressStore, isExpressStore } from './express/adopted-store.ts'
import type { ExpressStore, StoredSession } from './express/callback-store.ts'
import { ifGiven, OptionReader } from './option-reader.ts'
import { readSecrets } from './read-secrets.ts'
import type { DroppedBy, SessionBehavior } from './request/engine.ts'
import type { SessionStore } from './store.ts'
import { MemoryStore } from './stores/memory.ts'

/** A function of a request. Written as a method: only then may its parameter have a narrower type, such as Express' `Request`. */
type FunctionOfRequest<T> = { call(req: IncomingMessage): T }['call']

export interface SessionOptions {
  /**
   * Where sessions are kept. Default: the memory of this process. It forgets them when it ends.
   * A store that was written for express-session is taken as `fromExpressStore(store, { ids: 'plain' })`.
   */
  readonly store?: SessionStore | ExpressStore | undefined
  /**
   * Signs the cookie as express-session does; in a list the first signs, all are accepted. Default: none. The id is random and needs no
   * signature. Named but empty it is an error: its variable is missing.
   */
  readonly secret?: HmacKey | readonly HmacKey[]
  /** The name of the cookie. Default: `guildhall`. With `secure: true` it is `__Host-guildhall`, with `secret` `connect.sid`. */
  readonly name?: string | undefined
  /** The same as `name`. Default: none. */
  readonly key?: string | undefined
  /** The attributes of the cookie, or a function that returns them for a request. Default: see below. */
  readonly cookie?: CookieOptions | FunctionOfRequest<CookieOptions> | undefined
  /** Makes the id of a new session. Default: 256 random bits. Needs `secret`: the signature keeps ids from being guessed. */
  readonly genid?: FunctionOfRequest<string> | undefined
  /**
   * Returns the user of a session from its data, so that the store can list and end the sessions of a user. Default: none. Called when a
   * session is first stored, so a login must start with `await req.session.regenerate()`.
   */
  readonly userOf?: ((session: StoredSession) => string | undefined) | undefined
  /**
   * Whether X-Forwarded-Proto is trusted from any sender. Default: as Express' `trust proxy` says. With false only the socket counts.
   */
  readonly proxy?: boolean | undefined
  /** Marks a session as seen in its store at every request, not once per interval. Default: false. */
  readonly resave?: boolean | undefined
  /** Sends the cookie with every response of a stored session, so that its maxAge starts again. Default: false. */
  readonly rolling?: boolean | undefined
  /** Stores sessions that nobody wrote to, and sets their cookie. Default: false. */
  readonly saveUninitialized?: boolean | undefined
  /** What `req.session = null` and `delete req.session` do: end the session, or leave what is stored as it is. Default: `'destroy'`. */
  readonly unset?: 'destroy' | 'keep' | undefined
  /** Ends a session after this time without a request. Default: the cookie's `maxAge`, else `'15m'`. */
  readonly idleTimeout?: Duration | undefined
  /** Ends a session this time after its start, even if it is used. Default: `'12h'`, or the cookie's `maxAge` if that is longer. */
  readonly absoluteTimeout?: Duration | undefined
  /** The clock. Default: the system's. */
  readonly clock?: Clock | undefined
  /** Called with what goes wrong without failing a request. Default: a warning of the process. */
  readonly warn?: ((text: string) => void) | undefined
}

const OPTIONS = 'store secret name key cookie genid userOf proxy resave rolling saveUninitialized unset'
  .split(' ')
  .concat('idleTimeout', 'absoluteTimeout', 'clock', 'warn')
const STORE_METHODS = 'create find update touch supersede delete listByUser deleteByUser deleteExpired close'.split(' ')

const TOKEN = /^[\w!#%&'*+.^`|~-][\w!#$%&'*+.^`|~-]{0,127}$/ // RFC 6265 section 4.1.1; a leading $ is RFC 2965's

/** Makes settings from options, also those of express-session. Throws one TypeError that lists every fault. */
export function readOptions(optionsOrNull: SessionOptions | null = {}) {
  const options = optionsOrNull ?? {}
  if (typeof options !== 'object') throw new TypeError(`session(): the options must be an object, got ${typeof options}`)
  const reader = new OptionReader()
  const { faults, warnings, must } = reader
  const milliseconds = (name: string, value: unknown): number => {
    const parsed = typeof value === 'string' ? parseDuration(value) : undefined
    must(parsed !== undefined && parsed <= MAX_COOKIE_MS, `${name} must be a duration like '15m', at most '400d'`, value)
    return parsed ?? 0
  }

  const store = ifGiven(options.store || undefined)
  const [idleTimeout, absoluteTimeout] = [ifGiven(options.idleTimeout), ifGiven(options.absoluteTimeout)]
  const genid = ifGiven(options.genid)
  const userOf = ifGiven(options.userOf)
  const unset = ifGiven(options.unset) ?? 'destroy'
  const { clock = systemClock, warn = (text: string) => process.emitWarning(text) } = options
  const secrets = readSecrets(options, must)
  const cookieOf = ifGiven(options.cookie)
  must(['undefined', 'object', 'function'].includes(typeof cookieOf), 'cookie must be an object or a function', cookieOf)
  const fixed = typeof cookieOf === 'function' ? undefined : readCookieOptions(cookieOf, OPTIONS)
  const attributes = fixed?.attributes ?? readCookieOptions().attributes
  faults.push(...(fixed?.faults ?? []))
  const isHostOnly =
    fixed !== undefined && attributes.secure === true && attributes.path === '/' && attributes.domain === undefined
  const name =
    ifGiven(options.name) ?? ifGiven(options.key) ?? defaultName({ signed: secrets !== undefined, hostOnly: isHostOnly })
  const proxy = reader.optionalFlag('proxy', options.proxy)
  const resave = reader.flag('resave', options.resave, false)
  const rolling = reader.flag('rolling', options.rolling, false)
  const saveUninitialized = reader.flag('saveUninitialized', options.saveUninitialized, false)

  reader.names('', options, [...OPTIONS, ...COOKIE_OPTIONS])
  must(
    store === undefined || isStore(store) || isExpressStore(store),
    `store must have the methods ${STORE_METHODS.join(', ')}, or those of a store of express-session: get, set, destroy`,
    store,
  )
  must(typeof name === 'string' && TOKEN.test(name), 'name must be a cookie name of at most 128 characters', name)
  must(
    !/^__host-/i.test(name) || isHostOnly,
    "name: __Host- needs cookie.secure true, cookie.path '/' and no cookie.domain",
    name,
  )
  must(!/^__secure-/i.test(name) || attributes.secure === true, 'name: __Secure- needs cookie.secure true', name)
  must(genid === undefined || typeof genid === 'function', 'genid must be a function', genid)
  must(genid === undefined || secrets !== undefined, 'genid needs secret: the signature keeps ids from being guessed', genid)
  must(userOf === undefined || typeof userOf === 'function', 'userOf must be a function', userOf)
  must(unset === 'destroy' || unset === 'keep', "unset must be 'destroy' or 'keep'", unset)
  must(typeof clock?.now === 'function', 'clock must have a method now', clock)
  must(typeof warn === 'function', 'warn must be a function', warn)
  const { maxAgeMs } = attributes
  const limits = {
    idleMs:
      idleTimeout === undefined && maxAgeMs !== undefined
        ? Math.max(1, maxAgeMs)
        : milliseconds('idleTimeout', idleTimeout ?? '15m'),
    absoluteMs: Math.max(
      milliseconds('absoluteTimeout', absoluteTimeout ?? '12h'),
      absoluteTimeout === undefined ? (maxAgeMs ?? 0) : 0,
    ),
  }
  if (faults.length > 0) throw new TypeError(`session(): ${faults.join('; ')}`)

  const allWarnings = [...warnings, ...(fixed?.warnings ?? [])]
  if (allWarnings.length > 0) warn(`session(): ${allWarnings.join('; ')}`)
  const warnOnce = onceEach(warn)
  const adopted = isExpressStore(store) && !isStore(store) ? fromExpressStore(store, { ids: 'plain' }) : undefined
  const usedStore: SessionStore = adopted ?? (isStore(store) ? store : memoryStore(clock, warn))
  const cookie: CookieSettings = { name, ...attributes, secrets }
  return {
    store: usedStore,
    /** `req.sessionStore`, if it is the application's own. */
    publicStore: usedStore instanceof AdoptedStore ? usedStore.expressStore : undefined,
    cookie,
    behavior: {
      rolling,
      resave: resave && (usedStore instanceof AdoptedStore ? 'write' : 'touch'),
      saveUninitialized,
      unset,
      watchesUnset: unset === 'destroy',
      cookieCanChange: true,
      storesCookie: typeof cookieOf === 'function' || usedStore instanceof AdoptedStore,
      idleFollowsCookie: idleTimeout === undefined,
      absoluteFollowsCookie: absoluteTimeout === undefined,
      transport: proxy === undefined ? 'express' : proxy ? 'forwarded' : 'socket',
      onDropped: (setting) => warnOnce(`session(): no cookie was set, and nothing is stored for it: ${DROPPED[setting]}`),
      ...(typeof cookieOf === 'function' && {
        attributesFor: (req: IncomingMessage) => attributesFor(cookieOf, req, warnOnce),
      }),
      ...(genid && { newId: (req: IncomingMessage) => newId(genid, req) }),
      ...(userOf && { userOf: (session: object) => userIdOf(userOf(session)) }),
    } satisfies SessionBehavior,
    limits,
    clock,
    warn,
  }
}

/** The usual reason why browsers drop a cookie. */
const HTTPS_HINT = "Behind a proxy set 'trust proxy' or `proxy: true`."
const DROPPED: Readonly<Record<DroppedBy, string>> = {
  secure: `cookie.secure is on, and a request came over HTTP. ${HTTPS_HINT}`,
  sameSite: `cookie.sameSite is 'none', which browsers keep over HTTPS alone, and a request came over HTTP. ${HTTPS_HINT}`,
  partitioned: `cookie.partitioned is on, which browsers keep over HTTPS alone, and a request came over HTTP. ${HTTPS_HINT}`,
  maxAge: 'cookie.maxAge or cookie.expires says that it has expired already.',
}

function defaultName(cookie: { signed: boolean; hostOnly: boolean }): string {
  if (cookie.signed) return 'connect.sid'
  return cookie.hostOnly ? '__Host-guildhall' : 'guildhall'
}

function memoryStore(clock: Clock, warn: (text: string) => void): MemoryStore {
  warn('session(): sessions are kept in the memory of this process and end with it. Give it a store, such as SqliteStore.')
  return new MemoryStore({ clock })
}

function attributesFor(
  cookieOf: (req: IncomingMessage) => CookieOptions,
  req: IncomingMessage,
  warnOnce: (text: string) => void,
): CookieAttributes {
  const { attributes, faults, warnings } = readCookieOptions(cookieOf(req))
  if (faults.length > 0) throw new TypeError(`session(): ${faults.join('; ')}`)
  for (const warning of warnings) warnOnce(`session(): ${warning}`)
  // A function returns a new date for each request, so the date is no fixed end.
  return { ...attributes, expiresAt: undefined }
}

function userIdOf(userId: unknown): string | undefined {
  if (userId === undefined || userId === null || typeof userId === 'string') return userId || undefined
  throw new TypeError(`session(): userOf must give a text or undefined, got a ${typeof userId}: String(id)`)
}

function newId(genid: (req: IncomingMessage) => unknown, req: IncomingMessage): string {
  const id = genid(req)
  if (typeof id !== 'string' || !ID.test(id))
    throw new TypeError(
      `session(): genid must give a text of 1 to 256 characters without spaces, quotes, separators and '..', got ${typeof id}`,
    )
  return id
}

function isStore(store: unknown): store is SessionStore {
  if (typeof store !== 'object' || store === null) return false
  return STORE_METHODS.every((name) => typeof Reflect.get(store, name) === 'function')
}

/** Warnings about the cookie of one request may contain a visitor's words. */
const MAX_WARNINGS = 100

function onceEach(warn: (text: string) => void): (text: string) => void {
  const said = new Set<string>()
  return (text) => {
    if (said.has(text) || said.size >= MAX_WARNINGS) return
    said.add(text)
    warn(text)
  }
}
