// Writes answers. Nearly every answer of ours may depend on who asks, and is stored by nobody.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Request, Response } from 'express'
import helmet from 'helmet'
import { plainAddress } from '../domain/address.ts'
import { MembershipError } from '../domain/errors.ts'
import { asRefusal, problemOf, refusalTexts, statusOf } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { commonData } from './page-data.ts'
import { queryOf } from './read-input.ts'
import { RequestContext } from './request-context.ts'
import { requestIdOf } from './request-id.ts'

const SECURITY_HEADERS = headersOf(
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        imgSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // same-origin, not no-referrer: a form post by somebody whose session ended finds its way back to the page it came from.
    referrerPolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    // Whether a host may only be reached by HTTPS is the host's to say; our server says it.
    strictTransportSecurity: false,
  }),
)

/** The headers of every answer that may depend on who asks. */
export function setHeaders(res: Response): void {
  setSharedHeaders(res, 'no-store')
  res.setHeader('Vary', 'Accept-Language, Cookie, Origin, Sec-Fetch-Site')
}

/** The headers of an answer that is the same for everybody, for a while or for good. */
export function setSharedHeaders(res: Response, caching: string): void {
  for (const [name, value] of SECURITY_HEADERS) res.setHeader(name, value)
  if (res.hasHeader('X-Powered-By')) res.removeHeader('X-Powered-By')
  res.setHeader('Cache-Control', caching)
}

/** helmet sets the same headers on every answer, so it is asked once. */
function headersOf(middleware: ReturnType<typeof helmet>): readonly (readonly [name: string, value: string])[] {
  const req = new IncomingMessage(new Socket())
  const res = new ServerResponse(req)
  const headers: [name: string, value: string][] = []
  res.setHeader = (name, value) => {
    headers.push([name, String(value)])
    return res
  }
  middleware(req, res, () => {})
  return headers
}

export function sendJson(res: Response, status: number, body: unknown, type = 'application/json'): void {
  sendText(res, status, `${type}; charset=utf-8`, JSON.stringify(body))
}

export function sendPage(res: Response, status: number, html: string): void {
  sendText(res, status, 'text/html; charset=utf-8', html)
}

/** Leads a reader on from a path with a slash at its end to the one without, which there is. */
export function sendWithoutSlash(req: Request, res: Response): void {
  const query = queryOf(req)
  setHeaders(res)
  res.setHeader('Location', req.path.slice(0, -1) + (query === '' ? '' : `?${query}`))
  res.status(308).end()
}

/** 303: whatever the method was, the next is a GET. `to` is a full local path. */
export function sendTo(res: Response, to: string): void {
  res.setHeader('Location', to)
  res.status(303).end()
}

export function sendProblem(http: HttpContext, req: Request, res: Response, error: MembershipError): void {
  setRefusalHeaders(res, error)
  sendJson(res, statusOf(error.code), problemOf(http, req, error), 'application/problem+json')
}

/** The page of a refusal that belongs to no form. */
export function sendErrorPage(context: RequestContext, error: MembershipError, backTo?: string): void {
  const { http, res, t } = context
  setRefusalHeaders(res, error)
  const { title, detail } = refusalTexts(http, t, error, 'page')
  const data = { title, detail, status: statusOf(error.code), requestId: requestIdOf(context.req), backTo }
  // A path that takes only writes has no page in the other language either.
  const path = error.code === 'method_not_allowed' ? http.home : undefined
  sendPage(res, data.status, http.views.page('error', { ...commonData(context, { path }), ...data }))
}

/** A refusal at the endpoint it was asked at. For requests that reached no action: a cross-site write, an unknown path. */
export function refuse(http: HttpContext, req: Request, res: Response, thrown: unknown): void {
  const error = asRefusal(http, req, thrown)
  const context = new RequestContext(http, req, res, prefersJson(http, req) ? 'api' : 'page')
  if (context.endpoint === 'api') return sendProblem(http, req, res, error)
  try {
    sendErrorPage(context, error)
  } catch (broken) {
    // Nobody is left to catch it: thrown from here it would end the process.
    http.core.log.error({ err: broken, requestId: requestIdOf(req) }, 'the error page cannot be made')
    sendText(res, 500, 'text/plain; charset=utf-8', `${refusalTexts(http, context.t, error, 'page').title}\n`)
  }
}

/** Seconds: Chromium keeps what a preflight was told for two hours at most. */
const PREFLIGHT_KEPT = 7200

/** 405 with the methods that there are; OPTIONS, which asks for them, is answered. */
export function refuseMethod(http: HttpContext, req: Request, res: Response, methods: readonly string[], isListed = false): void {
  if (!answerOptions(req, res, methods, isListed)) refuse(http, req, res, new MembershipError('method_not_allowed'))
}

/** Names the methods in `Allow`, and says whether that was the whole question. A listed origin's preflight is told that it may. */
export function answerOptions(req: Request, res: Response, methods: readonly string[], isListed = false): boolean {
  res.setHeader('Allow', [...methods, 'OPTIONS'].join(', '))
  if (req.method !== 'OPTIONS') return false
  if (isListed) {
    res.setHeader('Access-Control-Allow-Methods', methods.join(', '))
    res.setHeader('Access-Control-Allow-Headers', 'Content-Type')
    res.setHeader('Access-Control-Max-Age', PREFLIGHT_KEPT)
  }
  res.status(204).end()
  return true
}

/** Another site's write: told to the host, and refused before anything of it is read. */
export function refuseCrossSite(http: HttpContext, req: Request, res: Response): void {
  http.core.events.emit('refused', {
    code: 'cross_site_request',
    path: req.path,
    ip: plainAddress(req.ip),
    requestId: requestIdOf(req),
  })
  setHeaders(res)
  refuse(http, req, res, new MembershipError('cross_site_request'))
}

/** Whether an answer should be JSON: below `/api`, or where `Accept` puts JSON before HTML. */
export function prefersJson(http: HttpContext, req: Request): boolean {
  if (req.path.startsWith('/api/') || req.path.startsWith(`${http.path}/api/`)) return true
  return req.accepts(['html', 'json']) === 'json'
}

/** Whether a script asks, by Fetch Metadata: a redirect would take the script to a page, and nobody with it. */
export function isScripted({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['sec-fetch-dest'] === 'empty'
}

export function setRefusalHeaders(res: Response, error: MembershipError): void {
  if (error.retryAfter !== undefined) res.setHeader('Retry-After', String(error.retryAfter))
}

export function sendText(res: Response, status: number, type: string, body: string): void {
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.status(status).end(res.req.method === 'HEAD' ? undefined : body)
}
