// Writes Set-Cookie.
import { inspect } from '../../domain/inspect.ts'
import type { HmacKey } from '../../domain/secret.ts'
import { MARKER_SUFFIX } from './marker.ts'
import { sign } from './signature.ts'

/** The attributes of a Set-Cookie. */
export interface CookieAttributes {
  /** `'auto'`: like the request. */
  readonly secure: boolean | 'auto'
  /** `'auto'`: `none` with `Secure`, else `lax`. */
  readonly sameSite: 'strict' | 'lax' | 'none' | 'auto' | false
  readonly path: string
  readonly domain?: string | undefined
  readonly httpOnly: boolean
  readonly partitioned?: boolean | undefined
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** Makes the cookie outlive the browser, for at most this many milliseconds; never longer than its session can live. */
  readonly maxAgeMs?: number | undefined
  /** The date from which `maxAgeMs` was counted, if one was given: it does not move. */
  readonly expiresAt?: number | undefined
  /** Writes the value so that a cookie can carry it. Default: encodeURIComponent. */
  readonly encode?: ((value: string) => string) | undefined
}

export interface CookieSettings extends CookieAttributes {
  readonly name: string
  /** Signs the id as express-session does. The first one signs, all are accepted. */
  readonly secrets?: readonly HmacKey[] | undefined
}

/** Browsers keep a cookie for at most 400 days (RFC 6265bis section 5.5). */
export const MAX_COOKIE_MS = 400 * 86_400_000

/** Milliseconds as they are stored: whole, and at most 400 days either way. NaN stays NaN. */
export function wholeSpan(ms: number): number {
  return Math.ceil(Math.max(-MAX_COOKIE_MS, Math.min(ms, MAX_COOKIE_MS)))
}

/** An attribute of a cookie: at most 1024 bytes (RFC 6265bis section 5.5), no ";" and no control character. */
export const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]{1,1024}$/
/** A host name, or an IPv6 address in brackets. */
export const DOMAIN = /^\.?(?:[\w-]+(?:\.[\w-]+)*\.?|\[[\da-f:.]+\])$/i
const VALUE = /^[\x21-\x3a\x3c-\x7e]*$/

export function isSameSite(value: unknown): value is 'strict' | 'lax' | 'none' {
  return value === 'strict' || value === 'lax' || value === 'none'
}

export function isPriority(value: unknown): value is 'low' | 'medium' | 'high' {
  return value === 'low' || value === 'medium' || value === 'high'
}

/** Resolves `'auto'`: browsers refuse a cookie for all sites without `Secure`. */
export function decidedSameSite<T>(sameSite: T, secure: boolean): T | 'none' | 'lax' {
  return sameSite === 'auto' ? (secure ? 'none' : 'lax') : sameSite
}

const EXPIRED = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

/** How a Set-Cookie is written. */
export interface SetCookieOptions {
  readonly attributes: CookieAttributes
  readonly secure: boolean
  readonly maxAgeMs: number | undefined
  readonly now: number
}

/** The value of a Set-Cookie with an id. */
export function issueCookie({ name, secrets }: CookieSettings, id: string, as: SetCookieOptions): string {
  const [secret] = secrets ?? []
  const { encode = encodeURIComponent } = as.attributes
  const value = encode(secret === undefined ? id : sign(id, secret))
  return writeCookie(name, value, as)
}

/** The value of the marker's Set-Cookie, with the attributes of its session cookie. Scripts have no use for it. */
export function issueMarker(name: string, value: string, as: SetCookieOptions): string {
  return writeCookie(name + MARKER_SUFFIX, value, { ...as, attributes: markerAttributes(as.attributes) })
}

/** A Set-Cookie with an encoded value. */
export function writeCookie(name: string, value: string, as: SetCookieOptions): string {
  if (!VALUE.test(value)) throw new TypeError(`the value of the cookie ${name} cannot stand in a Set-Cookie`)
  const text = `${name}=${value}${attributes(as.attributes, as.secure)}`
  if (as.maxAgeMs === undefined) return text
  const maxAgeMs = Math.min(as.maxAgeMs, MAX_COOKIE_MS)
  if (maxAgeMs <= 0) return `${text}; ${EXPIRED}`
  return `${text}; Max-Age=${Math.floor(maxAgeMs / 1000)}; Expires=${new Date(as.now + maxAgeMs).toUTCString()}`
}

/** The value of a Set-Cookie that deletes the cookie: with the same attributes, or the browser would keep it. */
export function clearCookie(name: string, as: Pick<SetCookieOptions, 'attributes' | 'secure'>): string {
  return `${name}=${attributes(as.attributes, as.secure)}; ${EXPIRED}`
}

export function clearMarker(name: string, as: Pick<SetCookieOptions, 'attributes' | 'secure'>): string {
  return clearCookie(name + MARKER_SUFFIX, { ...as, attributes: markerAttributes(as.attributes) })
}

function markerAttributes(attributes: CookieAttributes): CookieAttributes {
  return { ...attributes, sameSite: 'lax', httpOnly: true }
}

function attributes(cookie: CookieAttributes, secure: boolean): string {
  let text = ''
  if (cookie.path) text += `; Path=${plain('path', cookie.path)}`
  if (cookie.domain) text += `; Domain=${DOMAIN.test(cookie.domain) ? cookie.domain : refuse('domain', cookie.domain)}`
  if (cookie.httpOnly) text += '; HttpOnly'
  if (secure) text += '; Secure'
  const sameSite = decidedSameSite(cookie.sameSite, secure)
  if (sameSite) text += `; SameSite=${capital(isSameSite(sameSite) ? sameSite : refuse('sameSite', sameSite))}`
  if (cookie.partitioned) text += '; Partitioned'
  if (cookie.priority)
    text += `; Priority=${capital(isPriority(cookie.priority) ? cookie.priority : refuse('priority', cookie.priority))}`
  return text
}

/** A visitor's words may reach `req.session.cookie`: they must end neither the attribute nor the header. */
function plain(name: string, value: unknown): string {
  return typeof value === 'string' && ATTRIBUTE.test(value) ? value : refuse(name, value)
}

function refuse(name: string, value: unknown): never {
  throw new TypeError(`cookie.${name} cannot stand in a Set-Cookie, got ${inspect(value)}`)
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}
