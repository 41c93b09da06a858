// The options of `session()` and all of their defaults. Every fault is named at once.
import { KeyObject } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Clock, systemClock } from '../domain/clock.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import { inspect } from '../domain/inspect.ts'
import type { Key } from '../domain/secret.ts'
import { type CookieOptions, readCookieOptions } from './cookies/options.ts'
import { ID } from './cookies/signature.ts'
import { type CookieAttributes, type CookieSettings, MAX_COOKIE_MS } from './cookies/write.ts'
import { AdoptedStore, fromExpressStore, isExpressStore } from './express/adopted-store.ts'
import type { ExpressStore } from './express/callback-store.ts'
import type { SessionBehavior } from './request/engine.ts'
import type { SessionStore } from './store.ts'
import { MemoryStore } from './stores/memory.ts'

/** A function of a request. Written as a method, as only of these may the parameter be narrower: Express' `Request`, say. */
type FunctionOfRequest<T> = { call(req: IncomingMessage): T }['call']

export interface SessionOptions {
  /**
   * Where sessions are kept. Default: the memory of this process. It forgets them when it ends.
   * A store that was written for express-session is taken as `fromExpressStore(store, { ids: 'plain' })`.
   */
  readonly store?: SessionStore | ExpressStore | undefined
  /** Signs the cookie as express-session does; in a list the first signs, all are accepted. Default: none. The id is random and needs no signature. */
  readonly secret?: Key | readonly Key[] | undefined
  /** The name of the cookie. Default: `guildhall`. With `secure: true` it is `__Host-guildhall`, with `secret` `connect.sid`. */
  readonly name?: string | undefined
  /** The same as `name`. Default: none. */
  readonly key?: string | undefined
  /** What the cookie looks like, or a function that tells for one request. Default: see below. */
  readonly cookie?: CookieOptions | FunctionOfRequest<CookieOptions> | undefined
  /** Makes the id of a new session. Default: 256 random bits. Needs `secret`: the signature keeps ids from being guessed. */
  readonly genid?: FunctionOfRequest<string> | undefined
  /** Whether X-Forwarded-Proto says how a request came, whoever sent it. Default: as Express' `trust proxy` says. With false only the socket counts. */
  readonly proxy?: boolean | undefined
  /** Marks a session as seen in its store at every request, not once per interval. Default: false. */
  readonly resave?: boolean | undefined
  /** Sends the cookie with every response of a stored session, so that its maxAge begins anew. Default: false. */
  readonly rolling?: boolean | undefined
  /** Stores sessions that nobody wrote to, and sets their cookie. Default: false. */
  readonly saveUninitialized?: boolean | undefined
  /** What `req.session = null` and `delete req.session` do: end the session, or leave what is stored as it is. Default: `'destroy'`. */
  readonly unset?: 'destroy' | 'keep' | undefined
  /** Ends a session after this time without a request. Default: the cookie's `maxAge`, else `'15m'`. */
  readonly idleTimeout?: Duration | undefined
  /** Ends a session after this time whatever happens. Default: `'12h'`, or the cookie's `maxAge` where that is longer. */
  readonly absoluteTimeout?: Duration | undefined
  /** The clock. Default: the system's. */
  readonly clock?: Clock | undefined
  /** Called with what goes wrong without failing a request. Default: `console.warn`. */
  readonly warn?: ((text: string) => void) | undefined
}

const OPTIONS = 'store secret name key cookie genid proxy resave rolling saveUninitialized unset'
  .split(' ')
  .concat('idleTimeout', 'absoluteTimeout', 'clock', 'warn')
const STORE_METHODS = 'create find update touch supersede delete listByUser deleteByUser deleteExpired close'.split(' ')

const TOKEN = /^[\w!#%&'*+.^`|~-][\w!#$%&'*+.^`|~-]{0,127}$/ // RFC 6265 section 4.1.1; a leading $ is RFC 2965's

/** Settings from options. Throws one TypeError that lists every fault. */
export function readOptions(options: SessionOptions = {}) {
  const faults: string[] = []
  const must = (holds: boolean, rule: string, got: unknown): void => {
    if (!holds) faults.push(`${rule}, got ${inspect(got)}`)
  }
  const milliseconds = (name: string, value: unknown): number => {
    const parsed = typeof value === 'string' ? parseDuration(value) : undefined
    must(parsed !== undefined && parsed <= MAX_COOKIE_MS, `${name} must be a duration like '15m', at most '400d'`, value)
    return parsed ?? 0
  }

  const { store, secret, idleTimeout, absoluteTimeout, clock = systemClock, genid, proxy, unset = 'destroy' } = options
  const { resave = false, rolling = false, saveUninitialized = false } = options
  const warn = options.warn ?? console.warn
  const secrets = secret === undefined || Array.isArray(secret) ? secret : [secret]
  const fixed = typeof options.cookie === 'function' ? undefined : readCookieOptions(options.cookie)
  faults.push(...(fixed?.faults ?? []))
  const attributes = fixed?.attributes ?? readCookieOptions().attributes
  const isHostOnly =
    fixed !== undefined && attributes.secure === true && attributes.path === '/' && attributes.domain === undefined
  const name = options.name ?? options.key ?? defaultName({ signed: secrets !== undefined, hostOnly: isHostOnly })

  for (const key of Object.keys(options)) if (!OPTIONS.includes(key)) faults.push(`there is no option ${key}`)
  must(
    store === undefined || isStore(store) || isExpressStore(store),
    `store must have the methods ${STORE_METHODS.join(', ')}, or those of a store of express-session: get, set, destroy`,
    store,
  )
  must(
    secrets === undefined || areSecrets(secrets),
    'secret must be a text that is not empty, bytes, a KeyObject, or a list of these',
    typeof secret,
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
  must(unset === 'destroy' || unset === 'keep', "unset must be 'destroy' or 'keep'", unset)
  for (const [option, value] of Object.entries({ resave, rolling, saveUninitialized, proxy: proxy ?? false })) {
    must(typeof value === 'boolean', `${option} must be true or false`, value)
  }
  must(typeof clock?.now === 'function', 'clock must have a method now', clock)
  must(typeof warn === 'function', 'warn must be a function', warn)
  const { maxAgeMs } = attributes
  const limits = {
    idleMs: idleTimeout === undefined && maxAgeMs !== undefined ? maxAgeMs : milliseconds('idleTimeout', idleTimeout ?? '15m'),
    absoluteMs: Math.max(
      milliseconds('absoluteTimeout', absoluteTimeout ?? '12h'),
      absoluteTimeout === undefined ? (maxAgeMs ?? 0) : 0,
    ),
  }
  if (faults.length > 0) throw new TypeError(`session(): ${faults.join('; ')}`)

  const adopted = isExpressStore(store) && !isStore(store) ? fromExpressStore(store, { ids: 'plain' }) : undefined
  const usedStore: SessionStore = adopted ?? (isStore(store) ? store : memoryStore(clock, warn))
  const cookieOf = options.cookie
  const cookie: CookieSettings = { name, ...attributes, secrets }
  return {
    store: usedStore,
    /** `req.sessionStore`, where it is the application's own. */
    publicStore: usedStore instanceof AdoptedStore ? usedStore.expressStore : undefined,
    cookie,
    behavior: {
      rolling,
      resave,
      saveUninitialized,
      unset,
      watchesUnset: unset === 'destroy',
      cookieCanChange: true,
      storesCookie: typeof cookieOf === 'function' || usedStore instanceof AdoptedStore,
      idleFollowsCookie: idleTimeout === undefined,
      absoluteFollowsCookie: absoluteTimeout === undefined,
      transport: proxy === undefined ? 'express' : proxy ? 'forwarded' : 'socket',
      onInsecure: once(() =>
        warn(
          "session(): cookie.secure is on, and a request came over HTTP: no cookie was set. Behind a proxy set 'trust proxy' or `proxy: true`.",
        ),
      ),
      ...(typeof cookieOf === 'function' && { attributesFor: (req: IncomingMessage) => attributesFor(cookieOf, req) }),
      ...(genid && { newId: (req: IncomingMessage) => newId(genid, req) }),
    } satisfies SessionBehavior,
    limits,
    clock,
    warn,
  }
}

function defaultName(cookie: { signed: boolean; hostOnly: boolean }): string {
  if (cookie.signed) return 'connect.sid'
  return cookie.hostOnly ? '__Host-guildhall' : 'guildhall'
}

function memoryStore(clock: Clock, warn: (text: string) => void): MemoryStore {
  warn('session(): sessions are kept in the memory of this process and end with it. Give it a store, such as SqliteStore.')
  return new MemoryStore({ clock })
}

function attributesFor(cookieOf: (req: IncomingMessage) => CookieOptions, req: IncomingMessage): CookieAttributes {
  const { attributes, faults } = readCookieOptions(cookieOf(req))
  if (faults.length > 0) throw new TypeError(`session(): ${faults.join('; ')}`)
  return attributes
}

function newId(genid: (req: IncomingMessage) => unknown, req: IncomingMessage): string {
  const id = genid(req)
  if (typeof id !== 'string' || !ID.test(id))
    throw new TypeError(
      `session(): genid must give a text of 1 to 256 characters without spaces, quotes, separators and '..', got ${typeof id}`,
    )
  return id
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}

function isStore(store: unknown): store is SessionStore {
  if (typeof store !== 'object' || store === null) return false
  return STORE_METHODS.every((name) => typeof Reflect.get(store, name) === 'function')
}

function areSecrets(secrets: unknown): boolean {
  return Array.isArray(secrets) && secrets.length > 0 && secrets.every(isSecret)
}

function isSecret(secret: unknown): boolean {
  if (typeof secret === 'string') return secret !== ''
  if (ArrayBuffer.isView(secret)) return secret.byteLength > 0
  return secret instanceof KeyObject && secret.type === 'secret'
}
