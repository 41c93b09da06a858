// Reads session ids, and the marker of a session cookie, out of a raw Cookie header.
import type { IncomingMessage } from 'node:http'
import { MARKER_SUFFIX } from './marker.ts'
import { signatureReader } from './signature.ts'
import type { CookieSettings } from './write.ts'

/** A visitor has one cookie; more were planted by somebody else. So many are looked up at a request; at a logout all are deleted. */
export const MAX_CANDIDATES = 4

const NONE: readonly string[] = []
const SPACE = 0x20
const TAB = 0x09
const SEMICOLON = 0x3b
const UNSIGNED = /^[\w-]{43}$/

/** The session cookies of a request, in the order of its Cookie header. */
export interface SessionCookies {
  readonly ids: readonly string[]
  /** Whether there is a cookie of the session's name, valid or not. */
  readonly hasSession: boolean
  /** The values of the marker. A visitor has one; more were planted by somebody else. */
  readonly markers: readonly string[]
}

const NO_COOKIES: SessionCookies = { ids: NONE, hasSession: false, markers: NONE }

/** Never throws. */
export type ReadCookies = (header: string | undefined) => SessionCookies

/**
 * Reads what browsers write (RFC 6265 section 4.2.1): `$Version` is a cookie like any other. Nothing but spaces and tabs is trimmed and
 * nothing decoded, so that no similar name passes.
 */
export function cookieReader({ name, secrets }: CookieSettings): ReadCookies {
  const readId = secrets ? signatureReader(secrets) : (value: string) => (UNSIGNED.test(value) ? value : undefined)
  return (header) => {
    if (header === undefined || !header.includes(name)) return NO_COOKIES
    const ids: string[] = []
    const markers: string[] = []
    let hasSession = false
    for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + 1)) {
      let equalsAt: number = at + name.length
      const isMarker = header.startsWith(MARKER_SUFFIX, equalsAt)
      if (isMarker) equalsAt += MARKER_SUFFIX.length
      if (header[equalsAt] !== '=' || !startsPair(header, at)) continue
      const value = valueFrom(header, equalsAt + 1)
      if (isMarker) {
        markers.push(value)
        continue
      }
      hasSession = true
      const id = readId(value)
      if (id !== undefined) ids.push(id)
    }
    return { ids, hasSession, markers }
  }
}

/** Whether a cookie's path covers that of a request, as browsers decide (RFC 6265 section 5.1.4). */
export function coversPath(cookiePath: string, req: IncomingMessage): boolean {
  const [path] = addressOf(req)
  if (!path.startsWith(cookiePath)) return false
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/'
}

/** The path and the query (with its `?`) that the browser asked for, wherever the middleware is mounted. */
export function addressOf(req: IncomingMessage): readonly [path: string, query: string] {
  const url = 'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/')
  if (!url.startsWith('/')) {
    const { pathname = '/', search = '' } = URL.parse(url) ?? {}
    return [pathname, search]
  }
  const [address = ''] = url.split('#', 1)
  const at = address.indexOf('?')
  return at === -1 ? [address, ''] : [address.slice(0, at), address.slice(at)]
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--
  return before < 0 || header.charCodeAt(before) === SEMICOLON
}

function valueFrom(header: string, start: number): string {
  const semicolon = header.indexOf(';', start)
  let end = semicolon === -1 ? header.length : semicolon
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--
  return header.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}
