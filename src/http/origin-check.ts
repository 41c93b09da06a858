// Refuses writes that another site sends with a visitor's cookies. No token: the browser itself says where a request comes from.
import type { IncomingMessage } from 'node:http'
import type { Request } from 'express'
import type { Http } from './http.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method)
}

/**
 * Whether an unsafe request may act, judged before anything of it is parsed. The order is http.md's:
 * a listed origin; what the browser says of itself (Fetch Metadata); the origin compared with scheme, host and port.
 */
export function isWelcome({ origin, trustedOrigins, strictOrigin }: Http, req: Pick<IncomingMessage, 'headers'>): boolean {
  const from = req.headers.origin
  if (from !== undefined && trustedOrigins.has(from)) return true
  const site = req.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (from !== undefined) return from === origin
  // Neither header: no browser of today. Programs pass, unless the operator wants them to say where they come from.
  return !strictOrigin
}

/** Whether the request carries the session cookie, live or not. */
export function carriesCookie({ cookieName }: Http, req: Request): boolean {
  return req.headers.cookie?.includes(`${cookieName}=`) === true
}
