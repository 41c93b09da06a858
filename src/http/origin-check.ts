// Recognises cross-site writes (CSRF) by Fetch Metadata and Origin.
import type { IncomingMessage } from 'node:http'
import type { HttpContext } from './http-context.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function isRead({ method }: Pick<IncomingMessage, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD'
}

export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method)
}

/** Whether an unsafe request is allowed: by a trusted origin; by Fetch Metadata, which no page can forge; else by our own origin. */
export function isAllowedOrigin({ core: { settings }, origin }: HttpContext, req: Pick<IncomingMessage, 'headers'>): boolean {
  const from = req.headers.origin
  if (from !== undefined && settings.trustedOrigins.includes(from)) return true
  const site = req.headers['sec-fetch-site']
  // `none`: sent by the person, not by a page. No browser sends it with another site's origin.
  if (site === 'none') return from === undefined || from === 'null' || from === origin
  if (site !== undefined) return site === 'same-origin'
  if (from !== undefined) return from === origin
  // Every current browser sends one of them. Programs may pass without, unless the operator forbids it.
  return !settings.strictOrigin
}

/**
 * Whether the request may carry the session cookie. Deliberately loose: it must hold for any header that some parser finds the cookie in.
 */
export function mayCarryCookie({ cookieName }: Pick<HttpContext, 'cookieName'>, req: Pick<IncomingMessage, 'headers'>): boolean {
  return req.headers.cookie?.includes(`${cookieName}=`) === true
}
