// `/healthz`, `/readyz`, `/metrics`, `/openapi.json`: for machines, which come by the address.
import type { Request, RequestHandler, Response } from 'express'
import { isLoopback } from '../domain/address.ts'
import { MembershipError } from '../domain/errors.ts'
import { sameSecret } from '../domain/secret.ts'
import { isRead } from '../http/origin-check.ts'
import { answerOptions, refuse, sendJson, sendProblem, sendText, sendWithoutSlash, setHeaders } from '../http/respond.ts'
import { sendStaticFile } from '../http/send-static-file.ts'
import { StaticFile } from '../http/static-file.ts'
import type { AppContext } from './app-context.ts'
import { describeServer } from './describe-server.ts'
import { METRICS_TYPE } from './metrics-text.ts'

/** Without session and host check, so they reveal nothing to third parties. */
export const SERVICE_PATHS = ['/healthz', '/readyz', '/metrics', '/openapi.json'] as const

export function servicePaths(context: AppContext): RequestHandler {
  const { http } = context.internals
  const mayReadMetrics = metricsRule(context)
  let description: StaticFile | undefined
  const serve: Readonly<Record<ServicePath, (req: Request, res: Response) => Promise<void>>> = {
    '/healthz': async (_req, res) => sendJson(res, 200, { status: 'ok' }),
    '/readyz': async (_req, res) => {
      const ready = await isReady(context)
      sendJson(res, ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable' })
    },
    '/metrics': async (_req, res) => {
      sendText(res, 200, METRICS_TYPE, await context.metrics.text())
    },
    // The description holds nothing personal.
    '/openapi.json': async (req, res) => {
      description ??= new StaticFile('application/json; charset=utf-8', JSON.stringify(describeServer(context.internals)))
      sendStaticFile(req, res, description, 'public, max-age=300')
    },
  }
  return (req, res, next) => {
    const { path } = req
    // The rest goes through the checks of every request, then to the refusals below.
    if (!isServicePath(path) || !isRead(req)) return next()
    setHeaders(res)
    if (path === '/metrics' && !mayReadMetrics(req)) return refuse(http, req, res, new MembershipError('not_found'))
    serve[path](req, res).catch(next)
  }
}

/** Refusals in JSON for requests that have passed those checks. */
export function serviceRefusals(context: AppContext): RequestHandler {
  const { http } = context.internals
  const mayReadMetrics = metricsRule(context)
  return (req, res, next) => {
    const { path } = req
    if (path.endsWith('/') && isServicePath(path.slice(0, -1)) && isRead(req)) return sendWithoutSlash(req, res)
    if (!isServicePath(path)) return next()
    setHeaders(res)
    if (path === '/metrics' && !mayReadMetrics(req)) return sendProblem(http, req, res, new MembershipError('not_found'))
    if (answerOptions(req, res, ['GET', 'HEAD'])) return
    sendProblem(http, req, res, new MembershipError('method_not_allowed'))
  }
}

type ServicePath = (typeof SERVICE_PATHS)[number]

function isServicePath(path: string): path is ServicePath {
  return SERVICE_PATHS.some((known) => known === path)
}

/** Ready: not stopping, and all stores answer, the database with this program's schema. */
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
 * Who may read /metrics here: with METRICS_TOKEN, requests with the token; with METRICS_PORT, nobody; else anybody, if BASE_URL names this
 * machine. Forwarding headers do not matter, as a proxy need not add any.
 */
function metricsRule({ config: { metricsToken, metricsPort }, internals }: AppContext): (req: Request) => boolean {
  if (metricsToken) {
    const expected = `Bearer ${metricsToken.reveal()}`
    return (req) => sameSecret(req.headers.authorization ?? '', expected)
  }
  const isOpen = metricsPort === undefined && isLoopback(internals.settings.baseUrl.hostname)
  return () => isOpen
}
