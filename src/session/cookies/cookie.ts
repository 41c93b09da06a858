// The session cookie: reads ids out of a raw Cookie header, and writes Set-Cookie.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { BoundedCache } from '../../domain/bounded-cache.ts'
import { inspect } from '../../domain/inspect.ts'
import { type Key, keyedDigest, sameSecret } from '../../domain/secret.ts'

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
export const LONGEST_COOKIE_MS = 400 * 86_400_000

/** A span as it is kept: at most 400 days either way, in whole milliseconds. NaN stays what it is. */
export function wholeSpan(ms: number): number {
  return Math.ceil(Math.max(-LONGEST_COOKIE_MS, Math.min(ms, LONGEST_COOKIE_MS)))
}

/** What an attribute of a cookie may say: at most 1024 bytes (RFC 6265bis section 5.5), no ";" and no control. */
export const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]{1,1024}$/
const VALUE = /^[\x21-\x3a\x3c-\x7e]*$/

/**
 * The ids that are taken. No store is asked for others, whatever vouches for them: a store may make a path of an id, and whoever signs
 * something else with the same secret, a language cookie say, would sign that path.
 */
export const ID = /^(?!.*\.\.)[^\s"\\;,\p{Cc}]{1,256}$/u

/** A visitor has one; more are planted. So many are looked up at a request; all of them are deleted at a logout. */
export const MOST_CANDIDATES = 4
const MOST_VERIFIED = 10_000
const NONE: readonly string[] = []
const SPACE = 0x20
const TAB = 0x09
const SEMICOLON = 0x3b

const UNSIGNED = /^[\w-]{43}$/
// As express-session writes it: encodeURIComponent('s:' + id + '.' + base64 without '=').
const SIGNED = /^s(?:%3[Aa]|:)([^\s"\\]{1,1024})\.((?:[A-Za-z\d+/]|%2[Bb]|%2[Ff]){43})$/
// A header in the syntax of RFC 2965 has other rules for quotes and commas. No browser sends it; who does, wants two readers to disagree.
const OLD_SYNTAX = '$Version'

/** Reads the ids that a Cookie header carries under exactly this name, in its order. Never throws. */
export type ReadIds = (header: string | undefined) => readonly string[]

/** Nothing is decoded or trimmed but spaces and tabs: names that merely look like ours cannot pass. */
export function idReader({ name, secrets }: CookieSettings): ReadIds {
  const read = secrets ? signatureReader(secrets) : (value: string) => (UNSIGNED.test(value) ? value : undefined)
  return (header) => {
    const values = readValues(header, name)
    return values === NONE ? NONE : values.map(read).filter((id) => id !== undefined)
  }
}

/** Whether a Cookie header has a cookie of this name, with whatever value. */
export function carriesCookie(header: string | undefined, cookie: CookieSettings): boolean {
  return readValues(header, cookie.name) !== NONE
}

/** The value of Set-Cookie that hands out an id. */
export function issueCookie(
  { name, secrets }: CookieSettings,
  id: string,
  as: {
    readonly attributes: CookieAttributes
    readonly secure: boolean
    readonly maxAgeMs: number | undefined
    readonly now: number
  },
): string {
  const [secret] = secrets ?? NONE
  const { encode = encodeURIComponent } = as.attributes
  const value = encode(secret === undefined ? id : `s:${id}.${signature(id, secret)}`)
  return writeCookie(name, value, as)
}

/** A Set-Cookie with a value that a cookie can carry. */
export function writeCookie(
  name: string,
  value: string,
  as: {
    readonly attributes: CookieAttributes
    readonly secure: boolean
    readonly maxAgeMs: number | undefined
    readonly now: number
  },
): string {
  if (!VALUE.test(value)) throw new TypeError(`the value of the cookie ${name} cannot stand in a Set-Cookie`)
  const text = `${name}=${value}${attributes(as.attributes, as.secure)}`
  if (as.maxAgeMs === undefined) return text
  const maxAgeMs = Math.min(as.maxAgeMs, LONGEST_COOKIE_MS)
  return `${text}; Max-Age=${Math.floor(maxAgeMs / 1000)}; Expires=${new Date(as.now + maxAgeMs).toUTCString()}`
}

/** The value of Set-Cookie that takes the cookie away: the same attributes, or the browser would keep it. */
export function clearCookie(name: string, as: { readonly attributes: CookieAttributes; readonly secure: boolean }): string {
  return `${name}=${attributes(as.attributes, as.secure)}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`
}

/**
 * Adds a Set-Cookie to a head that is about to go out, and gives the arguments for the real `writeHead`.
 * Headers handed to `writeHead` replace those set before; cookies of the host must survive, and so must ours.
 */
export function addCookie(res: ServerResponse, args: readonly unknown[], cookie: string): readonly unknown[] {
  const headers = args.at(-1)
  if (Array.isArray(headers)) {
    const named = headers.some((name, index) => index % 2 === 0 && isSetCookie(name))
    if (named) return [...args.slice(0, -1), [...headers, 'Set-Cookie', cookie]]
  } else if (typeof headers === 'object' && headers !== null) {
    const given = Object.entries<OutgoingHttpHeaders[string]>({ ...headers })
    const named = given.filter(([name]) => isSetCookie(name)).flatMap(([, value]) => value ?? [])
    if (named.length > 0) {
      const others = given.filter(([name]) => !isSetCookie(name))
      return [...args.slice(0, -1), { ...Object.fromEntries(others), 'Set-Cookie': [...named.map(String), cookie] }]
    }
  }
  // A new list: `appendHeader` would push into the host's own, which may serve the next visitor too.
  const before = res.getHeader('Set-Cookie')
  res.setHeader('Set-Cookie', [...(Array.isArray(before) ? before : before === undefined ? [] : [String(before)]), cookie])
  return args
}

function readValues(header: string | undefined, name: string): readonly string[] {
  if (header === undefined || header.startsWith(OLD_SYNTAX)) return NONE
  let values: string[] | undefined
  for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + name.length)) {
    const valueAt = at + name.length + 1
    if (header[valueAt - 1] !== '=' || !startsPair(header, at)) continue
    const end = header.indexOf(';', valueAt)
    const value = trimEnd(header.slice(valueAt, end === -1 ? undefined : end))
    if (values === undefined) values = [value]
    else values.push(value)
  }
  return values ?? NONE
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--
  return before < 0 || header.charCodeAt(before) === SEMICOLON
}

function trimEnd(value: string): string {
  let end = value.length
  while (end > 0 && isBlank(value.charCodeAt(end - 1))) end--
  return value.slice(0, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** Remembers cookies that were found good, byte for byte: who comes again costs no HMAC. Others learn nothing from it. */
function signatureReader(secrets: readonly Key[]): (value: string) => string | undefined {
  const verified = new BoundedCache<string>(MOST_VERIFIED)
  return (value) => {
    const known = verified.get(value)
    if (known !== undefined) return known
    const id = unsign(value, secrets)
    // A copy: a part of a header keeps the whole header in memory.
    if (id !== undefined) verified.set(copyOf(value), copyOf(id))
    return id
  }
}

function unsign(value: string, secrets: readonly Key[]): string | undefined {
  const [, written, given] = SIGNED.exec(value) ?? NONE
  if (written === undefined || given === undefined) return undefined
  const id = decode(written)
  if (id === undefined || !ID.test(id)) return undefined
  const base64url = given.replace(/%2B|\+/gi, '-').replace(/%2F|\//gi, '_')
  return secrets.some((secret) => sameSecret(keyedDigest(secret, id), base64url)) ? id : undefined
}

function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function signature(id: string, secret: Key): string {
  return keyedDigest(secret, id).replaceAll('-', '+').replaceAll('_', '/')
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
