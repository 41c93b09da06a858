// Sends somebody who is not logged in to the login page, and back afterwards to where they wanted to go.
import type { Request, Response } from 'express'
import { MembershipError } from '../domain/errors.ts'
import type { Endpoint, HttpContext } from './http-context.ts'
import { RequestContext } from './request-context.ts'
import { commonData, sendPage, sendProblem, sendTo } from './respond.ts'
import { localPath, localReferer } from './return-to.ts'
import { needsSameSiteReload } from './same-site-reload.ts'

/** Answers a request that needs a login, or a recent one, and has none. */
export function askForLogin(
  http: HttpContext,
  req: Request,
  res: Response,
  endpoint: Endpoint,
  code: 'login_required' | 'recent_login_required',
): void {
  if (endpoint === 'api') return sendProblem(http, req, res, new MembershipError(code))
  if (code === 'login_required' && needsSameSiteReload(http, req)) {
    return sendPage(res, 200, http.views.page('same-site-reload', commonData(new RequestContext(http, req, res, endpoint))))
  }
  const page = http.url(code === 'login_required' ? 'login.page' : 'recent-login.page') ?? http.home
  const back =
    req.method === 'GET' || req.method === 'HEAD' ? localPath(req.originalUrl) : localReferer(req.headers.referer, http.origin)
  sendTo(res, back === undefined ? page : `${page}?returnTo=${encodeURIComponent(back)}`)
}
