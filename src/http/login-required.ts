// Redirects to the login page, and back afterwards.
import type { Request, Response } from 'express'
import { MembershipError } from '../domain/errors.ts'
import type { Endpoint, HttpContext } from './http-context.ts'
import { isRead } from './origin-check.ts'
import { isScripted, sendProblem, sendTo } from './respond.ts'
import { localPath, localReferer, withReturnTo } from './return-to.ts'

type LoginCode = 'login_required' | 'recent_login_required'

/** Answers a request that lacks a login, or a recent one. */
export function askForLogin(http: HttpContext, req: Request, res: Response, endpoint: Endpoint, code: LoginCode): void {
  if (endpoint === 'api' || isScripted(req)) return sendProblem(http, req, res, new MembershipError(code))
  const page = http.url(code === 'login_required' ? 'login.page' : 'recent-login.page') ?? http.home
  const back = isRead(req) ? localPath(req.originalUrl) : localReferer(req.headers.referer, http.origin)
  sendTo(res, withReturnTo(page, back))
}
