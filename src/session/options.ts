// The options of `session()`, with all defaults readable in one place. Every fault is named at once.
import { type Clock, systemClock } from '../domain/clock.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import type { SessionLimits } from '../domain/session.ts'
import { type CookieSettings, LONGEST_COOKIE_MS } from './cookie.ts'
import { MemoryStore } from './memory-store.ts'
import type { SessionStore } from './store.ts'

export interface CookieOptions {
  /** Whether the cookie travels over HTTPS only. Default: `'auto'`, as the request it answers (`req.secure`; behind a proxy set `trust proxy`). */
  readonly secure?: boolean | 'auto' | undefined
  /** Whether scripts in the page cannot read it. Default: true. */
  readonly httpOnly?: boolean | undefined
  /** Whether it comes along from other sites. Default: `'strict'`: never. `false` leaves the attribute out. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | false | undefined
  /** Default: `'/'`. */
  readonly path?: string | undefined
  /** Default: none, this host alone. */
  readonly domain?: string | undefined
  /** Milliseconds or `'30d'`: the browser keeps the cookie that long, but never longer than the session. Default: until it is closed. */
  readonly maxAge?: number | Duration | undefined
}

export interface SessionOptions {
  /** Where sessions are kept. Default: the memory of this process, which forgets them when it ends. */
  readonly store?: SessionStore | undefined
  /** Signs the cookie as express-session does; in a list the first signs, all are accepted. Default: none, the id is random and needs no signature. */
  readonly secret?: string | readonly string[] | undefined
  /** The name of the cookie. Default: `guildhall`; with `secure: true` `__Host-guildhall`; with `secret` `connect.sid`. */
  readonly name?: string | undefined
  readonly cookie?: CookieOptions | undefined
  /** Ends a session after this time without a request. Default: `'15m'`. */
  readonly idleTimeout?: Duration | undefined
  /** Ends a session after this time whatever happens. Default: `'12h'`. */
  readonly absoluteTimeout?: Duration | undefined
  /** Default: the system's. */
  readonly clock?: Clock | undefined
  /** Hears what goes wrong without failing a request. Default: `console.warn`. */
  readonly warn?: ((text: string) => void) | undefined
}

export interface SessionSettings {
  readonly store: SessionStore
  readonly cookie: CookieSettings
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly warn: (text: string) => void
}

const OPTIONS = ['store', 'secret', 'name', 'cookie', 'idleTimeout', 'absoluteTimeout', 'clock', 'warn']
const COOKIE_OPTIONS = ['secure', 'httpOnly', 'sameSite', 'path', 'domain', 'maxAge']
const STORE_METHODS = ['create', 'find', 'update', 'touch', 'delete', 'listByUser', 'deleteByUser', 'sweep', 'close']

const TOKEN = /^[\w!#%&'*+.^`|~-][\w!#$%&'*+.^`|~-]{0,127}$/ // RFC 6265 section 4.1.1; a leading $ is RFC 2965's
const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]{1,1024}$/ // RFC 6265bis: at most 1024 bytes, no ";" and no control

/** Settings from options. Throws one TypeError that lists every fault. */
export function readOptions(options: SessionOptions = {}): SessionSettings {
  const faults: string[] = []
  const must = (holds: boolean, rule: string, got: unknown): void => {
    if (!holds) faults.push(`${rule}, got ${shown(got)}`)
  }
  const milliseconds = (name: string, value: unknown): number => {
    const parsed = typeof value === 'string' ? parseDuration(value) : undefined
    must(parsed !== undefined && parsed <= LONGEST_COOKIE_MS, `${name} must be a duration like '15m', at most '400d'`, value)
    return parsed ?? 0
  }

  const { store, secret, cookie = {}, idleTimeout = '15m', absoluteTimeout = '12h', clock = systemClock } = options
  const { secure = 'auto', httpOnly = true, sameSite = 'strict', path = '/', domain, maxAge } = cookie
  const warn = options.warn ?? console.warn
  const secrets = typeof secret === 'string' ? [secret] : secret
  const name =
    options.name ?? defaultName({ signed: secrets !== undefined, hostOnly: secure === true && path === '/' && !domain })

  for (const key of Object.keys(options)) if (!OPTIONS.includes(key)) faults.push(`there is no option ${key}`)
  for (const key of Object.keys(cookie)) if (!COOKIE_OPTIONS.includes(key)) faults.push(`there is no option cookie.${key}`)
  must(store === undefined || isStore(store), `store must have the methods ${STORE_METHODS.join(', ')}`, store)
  must(
    secrets === undefined || areSecrets(secrets),
    'secret must be a text that is not empty, or a list of such texts',
    typeof secret,
  )
  must(typeof name === 'string' && TOKEN.test(name), 'name must be a cookie name of at most 128 characters', name)
  must(secure === 'auto' || typeof secure === 'boolean', "cookie.secure must be true, false or 'auto'", secure)
  must(typeof httpOnly === 'boolean', 'cookie.httpOnly must be true or false', httpOnly)
  must(['strict', 'lax', 'none', false].includes(sameSite), "cookie.sameSite must be 'strict', 'lax', 'none' or false", sameSite)
  must(sameSite !== 'none' || secure !== false, "cookie.sameSite 'none' needs cookie.secure: browsers drop it otherwise", secure)
  must(typeof path === 'string' && path.startsWith('/') && ATTRIBUTE.test(path), "cookie.path must begin with '/'", path)
  must(
    domain === undefined || (typeof domain === 'string' && ATTRIBUTE.test(domain)),
    'cookie.domain must be a host name',
    domain,
  )
  const isHostOnly = secure === true && path === '/' && domain === undefined
  must(
    !/^__host-/i.test(name) || isHostOnly,
    "name: __Host- needs cookie.secure true, cookie.path '/' and no cookie.domain",
    name,
  )
  must(!/^__secure-/i.test(name) || secure === true, 'name: __Secure- needs cookie.secure true', name)
  must(typeof clock?.now === 'function', 'clock must have a method now', clock)
  must(typeof warn === 'function', 'warn must be a function', warn)
  const limits = {
    idleMs: milliseconds('idleTimeout', idleTimeout),
    absoluteMs: milliseconds('absoluteTimeout', absoluteTimeout),
  }
  let maxAgeMs: number | undefined
  if (typeof maxAge === 'number') {
    must(maxAge > 0 && maxAge <= LONGEST_COOKIE_MS, 'cookie.maxAge must be positive and at most 400 days', maxAge)
    maxAgeMs = maxAge
  } else if (maxAge !== undefined) maxAgeMs = milliseconds('cookie.maxAge', maxAge)
  if (faults.length > 0) throw new TypeError(`session(): ${faults.join('; ')}`)

  return {
    store: store ?? memoryStore(clock, warn),
    cookie: { name, secure, sameSite, path, domain, httpOnly, maxAgeMs, secrets },
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

function isStore(store: unknown): boolean {
  if (typeof store !== 'object' || store === null) return false
  return STORE_METHODS.every((name) => typeof Reflect.get(store, name) === 'function')
}

function areSecrets(secrets: unknown): boolean {
  return Array.isArray(secrets) && secrets.length > 0 && secrets.every((secret) => typeof secret === 'string' && secret !== '')
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? 'an object'
    : typeof value === 'string'
      ? JSON.stringify(value)
      : String(value)
}
