// Refuses a request for another host and a cross-site write before it is read.
import type { Request, RequestHandler } from 'express'
import { MembershipError } from '../domain/errors.ts'
import { isAllowedOrigin, isUnsafe } from '../http/origin-check.ts'
import { prefersJson, refuse, refuseCrossSite, sendTo, setHeaders } from '../http/respond.ts'
import type { AppContext } from './app-context.ts'

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export function checkHostAndOrigin({
  config,
  internals: { http, settings },
}: Pick<AppContext, 'config' | 'internals'>): RequestHandler {
  const hosts = namesOf(settings.baseUrl)
  return (req, res, next) => {
    if (!hosts.has(hostOf(req))) {
      setHeaders(req, res)
      if (!config.production && isVisit(req) && !prefersJson(http, req)) return sendTo(res, http.origin + localPart(req))
      return refuse(http, req, res, new MembershipError('wrong_host'))
    }
    // Every unsafe request, unknown paths too. The membership alone would leave a host's own paths to the host.
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

function isVisit({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}

function localPart({ originalUrl }: Request): string {
  return originalUrl.startsWith('/') ? originalUrl : '/'
}
