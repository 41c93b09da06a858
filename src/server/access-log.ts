// Gives every request its id and the headers of the server, and logs and counts it once it is over.
import type { Request, RequestHandler } from 'express'
import { plainAddress } from '../domain/address.ts'
import { newId } from '../domain/secret.ts'
import type { AppContext } from './app-context.ts'
import { truncatePath } from './logging.ts'

const PROBES = new Set(['/healthz', '/readyz'])

export function accessLog({ config, log, metrics, lifecycle }: AppContext): RequestHandler {
  const { hsts } = config
  const behindProxy = config.trustProxy !== undefined

  return (req, res, next) => {
    const startedAt = performance.now()
    const requestId = newId()
    const named: Request & { id?: string } = req
    named.id = requestId
    const { path, method } = req
    // Who it is behind a proxy is what a header says, held to be an address. Else the same as req.ip, which parses the headers even then.
    const ip = behindProxy ? plainAddress(req.ip) : req.socket.remoteAddress
    res.setHeader('X-Request-Id', requestId)
    if (hsts !== undefined) res.setHeader('Strict-Transport-Security', hsts)
    if (lifecycle.isStopping()) res.setHeader('Connection', 'close')
    // Not `finish`: that one never comes where the visitor leaves early.
    res.once('close', () => {
      const ms = performance.now() - startedAt
      const { statusCode: status, writableFinished } = res
      metrics.observe(method, path, status, ms)
      const line = { requestId, method, path: truncatePath(path), status, ms: Math.round(ms * 100) / 100, ip }
      // A load balancer asks five times a second: that all is well is not worth a line.
      if (PROBES.has(path) && status === 200) return log.debug(line, 'request')
      log.request(writableFinished ? line : { ...line, aborted: true })
    })
    next()
  }
}
