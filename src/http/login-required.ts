// Sends somebody who is not logged in to the login page, and back afterwards to where they wanted to go.
import type { Request, Response } from 'express'
import { MembershipError } from '../domain/errors.ts'
import { isArrival } from './arrival.ts'
import { Exchange } from './exchange.ts'
import type { Door, Http } from './http.ts'
import { commonData, sendPage, sendProblem, sendTo } from './reply.ts'
import { localPath, localReferer } from './return-to.ts'

/** Answers a request that needs a login, or a recent one, and has none. */
export function askForLogin(
  http: Http,
  req: Request,
  res: Response,
  door: Door,
  code: 'login_required' | 'recent_login_required',
): void {
  if (door === 'api') return sendProblem(http, req, res, new MembershipError(code))
  if (code === 'login_required' && isArrival(http, req)) {
    return sendPage(res, 200, http.views.page('arrival', commonData(new Exchange(http, req, res, door))))
  }
  const page = http.url(code === 'login_required' ? '/login' : '/reauthenticate')
  const back =
    req.method === 'GET' || req.method === 'HEAD' ? localPath(req.originalUrl) : localReferer(req.headers.referer, http.origin)
  sendTo(res, back === undefined ? page : `${page}?returnTo=${encodeURIComponent(back)}`)
}
