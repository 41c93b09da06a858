// Decides which session cookie an answer carries: for whom, how secure, for how long, and whether any.
import type { IncomingMessage } from 'node:http'
import { type CookieSettings, carriesCookie, clearCookie, issueCookie } from './cookie.ts'
import type { SessionRow } from './store.ts'

/** Hands out the id of a row. */
export function cookieOf(
  req: IncomingMessage,
  cookie: CookieSettings,
  session: { id: string; row: SessionRow; now: number },
): string {
  const maxAgeMs = maxAgeOf(cookie, session.row, session.now)
  return issueCookie(cookie, session.id, { secure: isSecure(req, cookie), maxAgeMs })
}

/** Takes the cookie away. */
export function noCookie(req: IncomingMessage, cookie: CookieSettings): string {
  return clearCookie(cookie, { secure: isSecure(req, cookie) })
}

/** How long the browser keeps the cookie: never longer than the session can live; undefined for as long as it is open. */
export function maxAgeOf(cookie: CookieSettings, row: SessionRow | undefined, now: number): number | undefined {
  if (row === undefined) return cookie.maxAgeMs
  return row.persistent ? Math.min(cookie.maxAgeMs ?? Number.POSITIVE_INFINITY, row.endsAt - now) : undefined
}

/**
 * Whether a request comes from another site without our cookie. The browser may have held it back (SameSite): a cookie set now
 * would replace a person's login by a fresh session, and one cleared now would end it.
 */
export function isStranger({ headers }: IncomingMessage, cookie: CookieSettings): boolean {
  const heldBack = cookie.sameSite === 'strict' || cookie.sameSite === 'lax'
  return heldBack && headers['sec-fetch-site'] === 'cross-site' && !carriesCookie(headers.cookie, cookie)
}

function isSecure(req: IncomingMessage, { secure }: CookieSettings): boolean {
  if (secure !== 'auto') return secure
  if ('secure' in req) return req.secure === true // Express knows about proxies.
  return 'encrypted' in req.socket && req.socket.encrypted === true
}
