// Decides which session cookie an answer carries: for whom, how secure, for how long, and whether any.
import type { IncomingMessage } from 'node:http'
import type { SessionRow } from '../store.ts'
import { type CookieAttributes, type CookieSettings, carriesCookie, clearCookie, issueCookie } from './cookie.ts'

/** How a request is known to have come over HTTPS: by `req.secure`, by X-Forwarded-Proto whoever sent it, or by its socket alone. */
export type Transport = 'express' | 'forwarded' | 'socket'

/** Hands out the id of a row. */
export function cookieOf(
  req: IncomingMessage,
  settings: CookieSettings,
  session: {
    readonly id: string
    readonly row: SessionRow
    readonly attributes: CookieAttributes
    readonly transport: Transport
    readonly now: number
  },
): string {
  const { id, row, attributes, transport, now } = session
  return issueCookie(settings, id, {
    attributes,
    secure: isSecure(req, attributes, transport),
    maxAgeMs: maxAgeOf(attributes, row, now),
    now,
  })
}

/** Takes the cookie away. */
export function noCookie(req: IncomingMessage, name: string, attributes: CookieAttributes, transport: Transport): string {
  return clearCookie(name, { attributes, secure: isSecure(req, attributes, transport) })
}

/** How long the browser keeps the cookie: never longer than the session can live; undefined for as long as it is open. */
export function maxAgeOf(attributes: CookieAttributes, row: SessionRow | undefined, now: number): number | undefined {
  if (row === undefined) return attributes.maxAgeMs
  return row.persistent ? Math.min(attributes.maxAgeMs ?? Number.POSITIVE_INFINITY, row.endsAt - now) : undefined
}

/**
 * Whether a request comes from another site without our cookie. The browser may have held it back (SameSite): a cookie set now
 * would replace a person's login by a fresh session, and one cleared now would end it.
 */
export function isStranger({ headers }: IncomingMessage, settings: CookieSettings, { sameSite }: CookieAttributes): boolean {
  const heldBack = sameSite === 'strict' || sameSite === 'lax'
  return heldBack && headers['sec-fetch-site'] === 'cross-site' && !carriesCookie(headers.cookie, settings)
}

/** Whether a browser can get a cookie with these attributes by this answer: one with `Secure` comes over HTTPS only. */
export function reachesBrowser(req: IncomingMessage, { secure }: CookieAttributes, transport: Transport): boolean {
  return secure !== true || overHttps(req, transport)
}

function isSecure(req: IncomingMessage, { secure }: CookieAttributes, transport: Transport): boolean {
  return secure === 'auto' ? overHttps(req, transport) : secure
}

/** Whether a request came over HTTPS, as far as it can be known. */
export function overHttps(req: IncomingMessage, transport: Transport): boolean {
  if ('encrypted' in req.socket && req.socket.encrypted === true) return true
  if (transport === 'express') return 'secure' in req && req.secure === true // Express knows about proxies.
  if (transport === 'socket') return false
  const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',')
  return first.trim().toLowerCase() === 'https'
}
