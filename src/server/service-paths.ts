// `/healthz`, `/readyz`, `/metrics`, `/openapi.json`: for machines, which come by the address.
import type { Request, RequestHandler, Response } from 'express'
import { isLoopback } from '../domain/address.ts'
import { MembershipError } from '../domain/errors.ts'
import { sameSecret } from '../domain/secret.ts'
import { refuse, sendJson, sendText, setHeaders, setSharedHeaders } from '../http/respond.ts'
import type { AppContext } from './app-context.ts'
import { describeServer } from './describe-server.ts'
import { METRICS_TYPE } from './metrics-text.ts'

/** No session, no host check, nothing told to strangers. */
export const SERVICE_PATHS = ['/healthz', '/readyz', '/metrics', '/openapi.json'] as const

export function servicePaths(context: AppContext): RequestHandler {
  const { http } = context.internals
  const mayReadMetrics = metricsRule(context)
  let description: string | undefined
  const serve: Readonly<Record<ServicePath, (req: Request, res: Response) => Promise<void>>> = {
    '/healthz': async (_req, res) => sendJson(res, 200, { status: 'ok' }),
    '/readyz': async (_req, res) => {
      const ready = await isReady(context)
      sendJson(res, ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable' })
    },
    '/metrics': async (req, res) => {
      if (!mayReadMetrics(req)) return refuse(http, req, res, new MembershipError('not_found'))
      sendText(res, 200, METRICS_TYPE, await context.metrics.text())
    },
    '/openapi.json': async (_req, res) => {
      description ??= JSON.stringify(describeServer(context.internals))
      sendText(res, 200, 'application/json; charset=utf-8', description)
    },
  }
  return (req, res, next) => {
    const { path, method } = req
    if (!isServicePath(path)) return next()
    // Others go on to the checks of every request, and find nothing.
    if (method !== 'GET' && method !== 'HEAD') return next()
    // Nobody is told anything of their own in the description.
    if (path === '/openapi.json') setSharedHeaders(req, res, 'public, max-age=300')
    else setHeaders(req, res)
    serve[path](req, res).catch(next)
  }
}

type ServicePath = (typeof SERVICE_PATHS)[number]

function isServicePath(path: string): path is ServicePath {
  return SERVICE_PATHS.some((known) => known === path)
}

/** Ready: not stopping, and everything that requests need answers, the database with the schema of this program. */
async function isReady({ internals, lifecycle, log }: AppContext): Promise<boolean> {
  if (lifecycle.isClosing()) return false
  try {
    await internals.core.db.ready()
    return true
  } catch (error) {
    log.warn({ err: error }, 'not ready: the store does not answer')
    return false
  }
}

/**
 * With METRICS_TOKEN: whoever has it. With METRICS_PORT: nobody here. Without either only a site that is for this machine itself
 * answers. What a request says of itself decides nothing: a proxy may add no header at all.
 */
function metricsRule({ config: { metricsToken, metricsPort }, internals }: AppContext): (req: Request) => boolean {
  if (metricsToken) {
    const expected = `Bearer ${metricsToken.reveal()}`
    return (req) => sameSecret(req.headers.authorization ?? '', expected)
  }
  const isOpen = metricsPort === undefined && isLoopback(internals.settings.baseUrl.hostname)
  return () => isOpen
}
