// Refuses writes that another site sends with a visitor's cookies. No token: the browser itself says where a request comes from.
import type { IncomingMessage } from 'node:http'
import type { HttpContext } from './http-context.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method)
}

/**
 * Whether an unsafe request may act, judged before anything of it is parsed. A listed origin passes. Then what the browser says of
 * itself (Fetch Metadata), which no page can forge. Where it says nothing, the origin must be ours in scheme, host and port: one that
 * differs in the scheme alone is somebody on the network.
 */
export function isAllowedOrigin({ core: { settings }, origin }: HttpContext, req: Pick<IncomingMessage, 'headers'>): boolean {
  const from = req.headers.origin
  if (from !== undefined && settings.trustedOrigins.includes(from)) return true
  const site = req.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (from !== undefined) return from === origin
  // Neither header: no browser of today. Programs pass, unless the operator wants them to say where they come from.
  return !settings.strictOrigin
}

/** Whether the request may carry the session cookie, in whatever wrapping: the check is for all that somebody might take for a login. */
export function mayCarryCookie({ cookieName }: Pick<HttpContext, 'cookieName'>, req: Pick<IncomingMessage, 'headers'>): boolean {
  return req.headers.cookie?.includes(`${cookieName}=`) === true
}
