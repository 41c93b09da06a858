// Refuses writes that another site sends with a visitor's cookies, by what the browser says.
import type { IncomingMessage } from 'node:http'
import type { HttpContext } from './http-context.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function isRead({ method }: Pick<IncomingMessage, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD'
}

export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method)
}

/** Whether an unsafe request may act: by a listed origin, by Fetch Metadata, which no page can forge, else by an origin that is ours, scheme and all. */
export function isAllowedOrigin({ core: { settings }, origin }: HttpContext, req: Pick<IncomingMessage, 'headers'>): boolean {
  const from = req.headers.origin
  if (from !== undefined && settings.trustedOrigins.includes(from)) return true
  const site = req.headers['sec-fetch-site']
  // `none`: the person's own doing, no page's. An origin beside it that names another site contradicts that, and no browser sends it.
  if (site === 'none') return from === undefined || from === 'null' || from === origin
  if (site !== undefined) return site === 'same-origin'
  if (from !== undefined) return from === origin
  // Neither header: no browser of today. Programs pass, unless the operator wants them to say where they come from.
  return !settings.strictOrigin
}

/** Whether the request may carry the session cookie, in whatever wrapping: the check is for all that somebody might take for a login. */
export function mayCarryCookie({ cookieName }: Pick<HttpContext, 'cookieName'>, req: Pick<IncomingMessage, 'headers'>): boolean {
  return req.headers.cookie?.includes(`${cookieName}=`) === true
}
