// Writes Set-Cookie.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { inspect } from '../../domain/inspect.ts'
import type { Key } from '../../domain/secret.ts'
import { MARKER_SUFFIX } from './marker.ts'
import { sign } from './signature.ts'

/** What a Set-Cookie says beside name and value. */
export interface CookieAttributes {
  /** `'auto'`: as secure as the request it answers. */
  readonly secure: boolean | 'auto'
  /** `'auto'`: `none` over HTTPS, `lax` over HTTP. */
  readonly sameSite: 'strict' | 'lax' | 'none' | 'auto' | false
  readonly path: string
  readonly domain?: string | undefined
  readonly httpOnly: boolean
  readonly partitioned?: boolean | undefined
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** Makes the cookie outlive the browser, for at most this many milliseconds; never longer than its session can live. */
  readonly maxAgeMs?: number | undefined
  /** Writes the value so that a cookie can carry it. Default: encodeURIComponent. */
  readonly encode?: ((value: string) => string) | undefined
}

export interface CookieSettings extends CookieAttributes {
  readonly name: string
  /** Sign the id as express-session does. The first signs, all are accepted. */
  readonly secrets?: readonly Key[] | undefined
}

/** Browsers keep a cookie for at most 400 days (RFC 6265bis section 5.5). */
export const MAX_COOKIE_MS = 400 * 86_400_000

/** A span as it is kept: at most 400 days either way, in whole milliseconds. NaN stays what it is. */
export function wholeSpan(ms: number): number {
  return Math.ceil(Math.max(-MAX_COOKIE_MS, Math.min(ms, MAX_COOKIE_MS)))
}

/** What an attribute of a cookie may say: at most 1024 bytes (RFC 6265bis section 5.5), no ";" and no control. */
export const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]{1,1024}$/
const VALUE = /^[\x21-\x3a\x3c-\x7e]*$/

/** How one Set-Cookie is to look. */
export interface Looks {
  readonly attributes: CookieAttributes
  readonly secure: boolean
  readonly maxAgeMs: number | undefined
  readonly now: number
}

/** The value of Set-Cookie that hands out an id. */
export function issueCookie({ name, secrets }: CookieSettings, id: string, as: Looks): string {
  const [secret] = secrets ?? []
  const { encode = encodeURIComponent } = as.attributes
  const value = encode(secret === undefined ? id : sign(id, secret))
  return writeCookie(name, value, as)
}

/** The value of Set-Cookie for the marker of a session cookie that looks like this. Scripts have no use for it. */
export function issueMarker(name: string, value: string, as: Looks): string {
  return writeCookie(name + MARKER_SUFFIX, value, { ...as, attributes: markerAttributes(as.attributes) })
}

/** A Set-Cookie with a value that a cookie can carry. */
export function writeCookie(name: string, value: string, as: Looks): string {
  if (!VALUE.test(value)) throw new TypeError(`the value of the cookie ${name} cannot stand in a Set-Cookie`)
  const text = `${name}=${value}${attributes(as.attributes, as.secure)}`
  if (as.maxAgeMs === undefined) return text
  const maxAgeMs = Math.min(as.maxAgeMs, MAX_COOKIE_MS)
  return `${text}; Max-Age=${Math.floor(maxAgeMs / 1000)}; Expires=${new Date(as.now + maxAgeMs).toUTCString()}`
}

/** The value of Set-Cookie that takes the cookie away: the same attributes, or the browser would keep it. */
export function clearCookie(name: string, as: Pick<Looks, 'attributes' | 'secure'>): string {
  return `${name}=${attributes(as.attributes, as.secure)}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`
}

export function clearMarker(name: string, as: Pick<Looks, 'attributes' | 'secure'>): string {
  return clearCookie(name + MARKER_SUFFIX, { ...as, attributes: markerAttributes(as.attributes) })
}

function markerAttributes(attributes: CookieAttributes): CookieAttributes {
  return { ...attributes, sameSite: 'lax', httpOnly: true }
}

/**
 * Adds Set-Cookies to a head that is about to go out, and gives the arguments for the real `writeHead`.
 * Headers given to `writeHead` replace those set before; cookies of the host must survive, and so must ours.
 */
export function addCookies(res: ServerResponse, args: readonly unknown[], cookies: readonly string[]): readonly unknown[] {
  const at = typeof args[1] === 'string' || (args[2] !== undefined && args[2] !== null) ? 2 : 1
  const headers = args[at]
  if (Array.isArray(headers)) {
    // A flat list of names and values, or a list of pairs, which Node takes if no header was set before.
    const inPairs = Array.isArray(headers[0])
    const named = headers.some((item, index) => !inPairs && index % 2 === 0 && isSetCookie(item))
    const added = cookies.map((cookie) => ['Set-Cookie', cookie])
    if (inPairs || named) return args.with(at, [...headers, ...(inPairs ? added : added.flat())])
  } else if (typeof headers === 'object' && headers !== null) {
    const given = Object.entries<OutgoingHttpHeaders[string]>({ ...headers })
    const named = given.filter(([name]) => isSetCookie(name)).flatMap(([, value]) => value ?? [])
    if (named.length > 0) {
      const others = given.filter(([name]) => !isSetCookie(name))
      return args.with(at, { ...Object.fromEntries(others), 'Set-Cookie': [...named.map(String), ...cookies] })
    }
  }
  // A new list: `appendHeader` would push into the host's own, which may serve the next visitor too.
  const before = res.getHeader('Set-Cookie')
  res.setHeader('Set-Cookie', [...(Array.isArray(before) ? before : before === undefined ? [] : [String(before)]), ...cookies])
  return args
}

function attributes(cookie: CookieAttributes, secure: boolean): string {
  let text = ''
  if (cookie.path) text += `; Path=${plain('path', cookie.path)}`
  if (cookie.domain) text += `; Domain=${plain('domain', cookie.domain)}`
  if (cookie.httpOnly) text += '; HttpOnly'
  if (secure) text += '; Secure'
  const sameSite = cookie.sameSite === 'auto' ? (secure ? 'none' : 'lax') : cookie.sameSite
  if (sameSite) text += `; SameSite=${capital(plain('sameSite', sameSite))}`
  if (cookie.partitioned) text += '; Partitioned'
  if (cookie.priority) text += `; Priority=${capital(plain('priority', cookie.priority))}`
  return text
}

/** What an application puts into `req.session.cookie` may come from a visitor: it must end neither the attribute nor the header. */
function plain(name: string, value: unknown): string {
  if (typeof value === 'string' && ATTRIBUTE.test(value)) return value
  throw new TypeError(`cookie.${name} cannot stand in a Set-Cookie, got ${inspect(value)}`)
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}

function isSetCookie(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'set-cookie'
}
