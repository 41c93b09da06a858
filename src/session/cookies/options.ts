// The options of the session cookie, as express-session takes them, with defaults of ours.
import { isDate } from '../../domain/builtins.ts'
import { systemClock } from '../../domain/clock.ts'
import { type Duration, parseDuration } from '../../domain/duration.ts'
import { inspect } from '../../domain/inspect.ts'
import { ATTRIBUTE, type CookieAttributes, wholeSpan } from './write.ts'

export interface CookieOptions {
  /** Whether the cookie travels over HTTPS only. Default: `'auto'`. As the request it answers: by `req.secure`, so behind a proxy set `trust proxy`. */
  readonly secure?: boolean | 'auto' | undefined
  /** Whether scripts in the page cannot read it. Default: true. */
  readonly httpOnly?: boolean | undefined
  /** Whether it comes along from other sites. Default: `'strict'`. Never; true says the same. `false` leaves the attribute out, `'auto'` is `none` over HTTPS and else `lax`. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | 'auto' | boolean | undefined
  /** Where on the site it goes. Default: `'/'`. Requests outside of it have no `req.session`. */
  readonly path?: string | undefined
  /** The domain it goes to, with all below it. Default: this host alone. */
  readonly domain?: string | undefined
  /** How long the browser keeps it, in milliseconds or as `'30d'`. Default: until it is closed. At most 400 days, and never longer than the session. */
  readonly maxAge?: number | Duration | null | undefined
  /** The same as a date. Default: none. Of the two the one that is named last counts. */
  readonly expires?: Date | false | null | undefined
  /** Keeps the cookie apart for each site that embeds this one (CHIPS). Default: false. */
  readonly partitioned?: boolean | undefined
  /** Which cookies a browser drops first when it has too many. Default: none. Browsers take it for `'medium'`. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** Writes the value so that a cookie can carry it. Default: encodeURIComponent. */
  readonly encode?: ((value: string) => string) | undefined
}

const NAMES = 'secure httpOnly sameSite path domain maxAge expires partitioned priority encode originalMaxAge'.split(' ')

/** The looks of a cookie from its options, and what is wrong with them. */
export function readCookieOptions(
  options: CookieOptions = {},
  now: number = systemClock.now(),
): { attributes: CookieAttributes; faults: readonly string[] } {
  const faults: string[] = []
  const must = (holds: boolean, rule: string, got: unknown): void => {
    if (!holds) faults.push(`${rule}, got ${inspect(got)}`)
  }
  const { secure = 'auto', httpOnly = true, path = '/', domain, partitioned, priority, encode } = options
  const sameSite = options.sameSite === undefined || options.sameSite === true ? 'strict' : options.sameSite

  for (const key of Object.keys(options)) if (!NAMES.includes(key)) faults.push(`there is no option cookie.${key}`)
  must(secure === 'auto' || typeof secure === 'boolean', "cookie.secure must be true, false or 'auto'", secure)
  must(typeof httpOnly === 'boolean', 'cookie.httpOnly must be true or false', httpOnly)
  must(
    ['strict', 'lax', 'none', 'auto', false].includes(sameSite),
    "cookie.sameSite must be 'strict', 'lax', 'none', 'auto', true or false",
    sameSite,
  )
  must(sameSite !== 'none' || secure !== false, "cookie.sameSite 'none' needs cookie.secure: browsers drop it otherwise", secure)
  must(typeof path === 'string' && path.startsWith('/') && ATTRIBUTE.test(path), "cookie.path must begin with '/'", path)
  must(
    domain === undefined || (typeof domain === 'string' && ATTRIBUTE.test(domain)),
    'cookie.domain must be a host name',
    domain,
  )
  must(partitioned === undefined || typeof partitioned === 'boolean', 'cookie.partitioned must be true or false', partitioned)
  must(
    priority === undefined || ['low', 'medium', 'high'].includes(priority),
    "cookie.priority must be 'low', 'medium' or 'high'",
    priority,
  )
  must(encode === undefined || typeof encode === 'function', 'cookie.encode must be a function', encode)
  const maxAgeMs = spanOf(options, now, must)
  return { attributes: { secure, sameSite, path, domain, httpOnly, partitioned, priority, encode, maxAgeMs }, faults }
}

/** How long the browser keeps the cookie: `maxAge` or `expires`, whichever is named last. */
function spanOf(
  options: CookieOptions,
  now: number,
  must: (holds: boolean, rule: string, got: unknown) => void,
): number | undefined {
  const last = Object.keys(options).findLast((name) => name === 'maxAge' || name === 'expires')
  if (last === 'expires') {
    const { expires } = options
    if (expires === undefined || expires === null || expires === false) return undefined
    const until = isDate(expires) ? expires.getTime() : Number.NaN
    must(!Number.isNaN(until), 'cookie.expires must be a Date, false or null', expires)
    // The cookie's maxAge counts from here, as it does in express-session.
    return wholeSpan(until - now)
  }
  const { maxAge } = options
  if (maxAge === undefined || maxAge === null) return undefined
  const span = typeof maxAge === 'string' ? parseDuration(maxAge) : maxAge
  must(
    typeof span === 'number' && span > 0,
    "cookie.maxAge must be a positive number of milliseconds or a duration like '30d'",
    maxAge,
  )
  return typeof span === 'number' ? wholeSpan(span) : undefined
}
