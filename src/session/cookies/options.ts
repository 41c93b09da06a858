// The options of the session cookie, as express-session takes them, with defaults of ours.
import { isDate } from '../../domain/builtins.ts'
import { systemClock } from '../../domain/clock.ts'
import { type Duration, parseDuration } from '../../domain/duration.ts'
import { ifGiven, OptionReader } from '../option-reader.ts'
import { ATTRIBUTE, type CookieAttributes, DOMAIN, isPriority, isSameSite, wholeSpan } from './write.ts'

export interface CookieOptions {
  /**
   * Whether the cookie travels over HTTPS only. Default: `'auto'`. As the request it answers: by `req.secure`, so behind a proxy set
   * `trust proxy`.
   */
  readonly secure?: boolean | 'auto' | undefined
  /** Whether scripts in the page cannot read it. Default: true. */
  readonly httpOnly?: boolean | undefined
  /**
   * Whether it comes along from other sites. Default: `'strict'`. Never; true says the same. `false` leaves the attribute out, `'auto'` is
   * `none` for a cookie with `Secure` and else `lax`.
   */
  readonly sameSite?: 'strict' | 'lax' | 'none' | 'auto' | boolean | undefined
  /** Where on the site it goes. Default: `'/'`. Requests outside of it have no `req.session`. */
  readonly path?: string | undefined
  /** The domain it goes to, with all below it. Default: this host alone. */
  readonly domain?: string | undefined
  /**
   * How long the browser keeps it, in milliseconds or as `'30d'`. Default: until it is closed. At most 400 days, and never longer than the
   * session.
   */
  readonly maxAge?: number | Duration | null | undefined
  /** The date on which it ends, and each session with it. Default: none. Of `maxAge` and `expires` the one that is named last counts. */
  readonly expires?: Date | false | null | undefined
  /** Keeps the cookie apart for each site that embeds this one (CHIPS). Default: false. It needs `Secure`. */
  readonly partitioned?: boolean | undefined
  /** Which cookies a browser drops first when it has too many. Default: none. Browsers take it for `'medium'`. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** Writes the value so that a cookie can carry it. Default: encodeURIComponent. */
  readonly encode?: ((value: string) => string) | undefined
  /** Does nothing, as in express-session. Default: `secret` decides. */
  readonly signed?: boolean | undefined
}

const NAMES = 'secure httpOnly sameSite path domain maxAge expires partitioned priority encode signed originalMaxAge'
export const COOKIE_OPTIONS: readonly string[] = NAMES.split(' ').map((name) => `cookie.${name}`)

interface ReadCookieOptions {
  readonly attributes: CookieAttributes
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads the attributes of a cookie from its options, and reports faults and warnings; `others` are the names of the options beside `cookie`. */
export function readCookieOptions(
  options: CookieOptions | null = {},
  others: readonly string[] = [],
  now: number = systemClock.now(),
): ReadCookieOptions {
  const cookie = typeof options === 'object' && options !== null ? options : {}
  const reader = new OptionReader()
  const { must } = reader
  const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)
  const path = ifGiven(cookie.path) ?? '/'
  const domain = ifGiven(cookie.domain)
  const priority = ifGiven(lower(cookie.priority))
  const encode = ifGiven(cookie.encode)
  const isAuto = lower(ifGiven(cookie.secure) ?? 'auto') === 'auto'
  const secure = isAuto ? 'auto' : reader.flag('cookie.secure', cookie.secure, false)
  const partitioned = reader.flag('cookie.partitioned', cookie.partitioned, false)
  const wanted = ifGiven(lower(cookie.sameSite)) ?? 'strict'
  const sameSite = wanted === true ? 'strict' : wanted

  reader.names('cookie.', cookie, [...COOKIE_OPTIONS, ...others])
  const isKnown = sameSite === false || sameSite === 'auto' || isSameSite(sameSite)
  must(isKnown, "cookie.sameSite must be 'strict', 'lax', 'none', 'auto', true or false", sameSite)
  const needs = 'needs cookie.secure: browsers drop it otherwise'
  must(sameSite !== 'none' || secure !== false, `cookie.sameSite 'none' ${needs}`, secure)
  must(!partitioned || secure !== false, `cookie.partitioned ${needs}`, secure)
  must(typeof path === 'string' && path.startsWith('/') && ATTRIBUTE.test(path), "cookie.path must begin with '/'", path)
  const isHost = domain === undefined || (typeof domain === 'string' && DOMAIN.test(domain))
  must(isHost, 'cookie.domain must be a host name, without scheme, port and path', domain)
  must(priority === undefined || isPriority(priority), "cookie.priority must be 'low', 'medium' or 'high'", priority)
  must(encode === undefined || typeof encode === 'function', 'cookie.encode must be a function', encode)
  return {
    attributes: {
      secure,
      sameSite: isKnown ? sameSite : 'strict',
      path,
      domain,
      httpOnly: reader.flag('cookie.httpOnly', cookie.httpOnly, true),
      partitioned,
      priority: isPriority(priority) ? priority : undefined,
      encode,
      ...readSpan(cookie, now, must),
    },
    faults: reader.faults,
    warnings: reader.warnings,
  }
}

/** How long the browser keeps the cookie: `maxAge` or `expires`, whichever comes later in the object. */
function readSpan(
  options: CookieOptions,
  now: number,
  must: OptionReader['must'],
): Pick<CookieAttributes, 'maxAgeMs' | 'expiresAt'> {
  const last = Object.keys(options).findLast((name) => name === 'maxAge' || name === 'expires')
  const value = last === undefined ? undefined : ifGiven<unknown>(Reflect.get(options, last))
  if (value === undefined || value === false) return { maxAgeMs: undefined }
  if (isDate(value) && !Number.isNaN(value.getTime())) {
    return { expiresAt: value.getTime(), maxAgeMs: wholeSpan(value.getTime() - now) }
  }
  const isExpires = last === 'expires'
  const span = typeof value === 'string' ? parseDuration(value) : value
  const isSpan = !isExpires && typeof span === 'number' && !Number.isNaN(span)
  must(isSpan || !isExpires, 'cookie.expires must be a valid Date, false or null', value)
  must(isSpan || isExpires, "cookie.maxAge must be a number of milliseconds, a duration like '30d', a Date, false or null", value)
  return { maxAgeMs: isSpan ? wholeSpan(span) : undefined }
}
