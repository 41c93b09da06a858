// Whether a cookie's path covers that of a request, as browsers judge it (RFC 6265 section 5.1.4).
import type { IncomingMessage } from 'node:http'

export function coversPath(cookiePath: string, req: IncomingMessage): boolean {
  const path = pathOf(req)
  if (!path.startsWith(cookiePath)) return false
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/'
}

/** The path that the browser asked for, wherever the middleware is mounted. */
function pathOf(req: IncomingMessage): string {
  const url = 'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/')
  if (!url.startsWith('/')) return URL.parse(url)?.pathname ?? '/'
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
