// A Strict cookie does not come along when a person follows a link from elsewhere. They must not look logged out.
import type { Request } from 'express'
import type { HttpContext } from './http-context.ts'

/** Whether to answer with the page that loads itself once more: the second request is same-origin and brings the cookie. */
export function needsSameSiteReload(http: HttpContext, req: Request): boolean {
  const { headers } = req
  return (
    req.method === 'GET' &&
    headers['sec-fetch-site'] === 'cross-site' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    !http.sessions.carriesCookie(req)
  )
}
