// The Express application around the membership: what every request passes, in this order.
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express'
import { ERROR_CODES, type ErrorCode, MembershipError } from '../domain/errors.ts'
import { isRead } from '../http/origin-check.ts'
import { commonData } from '../http/page-data.ts'
import { RequestContext } from '../http/request-context.ts'
import { refuse, refuseMethod, sendPage, setHeaders } from '../http/respond.ts'
import { noticeText } from '../i18n/messages.ts'
import type { Internals } from '../membership.ts'
import { accessLog } from './access-log.ts'
import type { AppContext } from './app-context.ts'
import { checkHostAndOrigin } from './host-check.ts'
import { servicePaths, serviceRefusals } from './service-paths.ts'
import { siteFiles } from './site-files.ts'

export function createApp(context: AppContext): Express {
  const { config, internals } = context
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // undefined would enable Express's own default.
  app.set('trust proxy', config.trustProxy ?? false)
  app.set('env', config.production ? 'production' : 'development')

  app.use(accessLog(context))
  app.use(servicePaths(context))
  app.use(checkHostAndOrigin(context))
  app.use(serviceRefusals(context))
  app.use(siteFiles(context))
  if (context.mailbox) app.use(context.mailbox.handle)
  app.use(internals.membership)
  app.use(frontPage(internals))
  app.use(errorHandler(context))
  return app
}

/** `/`, and the 404 page for everything else. */
function frontPage({ http }: Internals): RequestHandler {
  return (req, res) => {
    setHeaders(res)
    if (req.path === '/' && !isRead(req)) return refuseMethod(http, req, res, ['GET', 'HEAD'])
    // A method that no path has is refused as one, not as an unknown path.
    if (!METHODS.has(req.method)) return refuseMethod(http, req, res, [])
    if (req.path !== '/') return refuse(http, req, res, new MembershipError(isDecodable(req.path) ? 'not_found' : 'malformed'))
    const context = new RequestContext(http, req, res, 'page')
    const notice = noticeText(context.t, context.query('notice'))
    const registrationOpen = http.core.settings.registration === 'open'
    sendPage(res, 200, http.views.page('home', { ...commonData(context), registrationOpen, notice }))
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** Every error ends here: no stack is shown, and a bad request ends no process. */
function errorHandler({ internals: { http }, log }: AppContext): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, _next) => {
    if (res.headersSent) {
      log.error({ err: error, requestId: res.getHeader('X-Request-Id') }, 'an answer broke off')
      res.destroy()
      return
    }
    setHeaders(res)
    refuse(http, req, res, asKnown(error))
  }
}

/** Worth trying again soon. */
function isTemporary(code: ErrorCode): boolean {
  return code === 'store_unavailable' || code === 'overloaded'
}

/** An error that the membership has logged keeps its code; a path that Express cannot decode is the visitor's mistake. */
function asKnown(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error ? ERROR_CODES.find((known) => known === error.code) : undefined
  if (code !== undefined) return new MembershipError(code, { cause: error, ...(isTemporary(code) && { retryAfter: 1 }) })
  if (error instanceof URIError) return new MembershipError('malformed', { cause: error })
  return error
}
