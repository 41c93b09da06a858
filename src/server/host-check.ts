// Refuses a request for another host and a cross-site write before it is read.
import type { Request, RequestHandler } from 'express'
import { MembershipError } from '../domain/errors.ts'
import { isAllowedOrigin, isRead, isUnsafe } from '../http/origin-check.ts'
import { requestIdOf } from '../http/request-id.ts'
import { prefersJson, refuse, refuseCrossSite, sendTo, setHeaders } from '../http/respond.ts'
import type { AppContext } from './app-context.ts'
import { limitLog } from './log-limit.ts'

const WRONG_HOST =
  'A request for another host was refused: BASE_URL names the host that people use, and a proxy in front must pass Host on'
const MAX_LOGGED_HOST = 255
/** In development: a client that is redirected to the same address so often, without a pause, is in a loop. */
const MAX_LEADS = 3
const CIRCLE_MS = 10_000

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export function checkHostAndOrigin({
  config,
  internals: { http, settings },
  log,
}: Pick<AppContext, 'config' | 'internals' | 'log'>): RequestHandler {
  const hosts = namesOf(settings.baseUrl)
  const warn = limitLog((fields, message) => log.warn(fields, message))
  const goesInCircles = circleDetector()
  return (req, res, next) => {
    if (!hosts.has(hostOf(req))) {
      setHeaders(res)
      const isLed =
        !config.production && isRead(req) && !prefersJson(http, req) && !goesInCircles(`${hostOf(req)} ${req.originalUrl}`)
      if (isLed) return sendTo(res, http.origin + localPart(req))
      const fields = { requestId: requestIdOf(req), host: hostOf(req).slice(0, MAX_LOGGED_HOST), expected: settings.baseUrl.host }
      warn(fields, WRONG_HOST)
      return refuse(http, req, res, new MembershipError('wrong_host'))
    }
    // Every unsafe request, also to unknown paths, which the membership alone would leave to its host application.
    if (isUnsafe(req.method) && !isAllowedOrigin(http, req)) {
      return refuseCrossSite(http, req, res)
    }
    next()
  }
}

/** `example.org` and, in full, `example.org:443`. */
export function namesOf(baseUrl: URL): ReadonlySet<string> {
  return new Set([baseUrl.host, `${baseUrl.hostname}:${baseUrl.port || DEFAULT_PORTS[baseUrl.protocol]}`])
}

/** A request line with a whole URL in it names the host there (RFC 9112 section 3.2.2). */
export function hostOf(req: Request): string {
  const { originalUrl, headers } = req
  if (!originalUrl.startsWith('/') && URL.canParse(originalUrl)) return new URL(originalUrl).host
  return (headers.host ?? '').toLowerCase()
}

/** If a proxy sends its own name as Host, a redirected client comes back at once, and is redirected again and again. */
function circleDetector(): (address: string) => boolean {
  let last = ''
  let times = 0
  let lastAt = 0
  return (address) => {
    const now = performance.now()
    times = address === last && now - lastAt < CIRCLE_MS ? times + 1 : 1
    last = address
    lastAt = now
    return times > MAX_LEADS
  }
}

function localPart({ originalUrl }: Request): string {
  return originalUrl.startsWith('/') ? originalUrl : '/'
}
