// Gives every request its id and the headers of the server, and logs and counts it once it is over.
import type { Request, RequestHandler } from 'express'
import { plainAddress } from '../domain/address.ts'
import { newId } from '../domain/secret.ts'
import type { AppContext } from './app-context.ts'
import { truncatePath } from './logging.ts'
import { HSTS } from './node-server.ts'

const PROXY_UNSET =
  'A proxy is in front but TRUST_PROXY is not set: all visitors seem to come from one address; write TRUST_PROXY=1 for one proxy'

export function accessLog({ config, internals, log, metrics, lifecycle }: AppContext): RequestHandler {
  const isHttps = internals.settings.baseUrl.protocol === 'https:'
  const behindProxy = config.trustProxy !== undefined
  let proxyUnknown = config.trustProxy === undefined && config.tls === undefined

  return (req, res, next) => {
    const startedAt = performance.now()
    const requestId = newId()
    const named: Request & { id?: string } = req
    named.id = requestId
    const { path, method } = req
    // Who it is behind a proxy is what a header says, held to be an address. Else the same as req.ip, which parses the headers even then.
    const ip = behindProxy ? plainAddress(req.ip) : req.socket.remoteAddress
    res.setHeader('X-Request-Id', requestId)
    if (isHttps) res.setHeader('Strict-Transport-Security', HSTS)
    if (lifecycle.isStopping()) res.setHeader('Connection', 'close')
    if (proxyUnknown && req.headers['x-forwarded-proto'] !== undefined) {
      proxyUnknown = false
      log.warn({ setting: 'TRUST_PROXY' }, PROXY_UNSET)
    }
    // Not `finish`: that one never comes where the visitor leaves early.
    res.once('close', () => {
      const ms = performance.now() - startedAt
      const { statusCode: status, writableFinished } = res
      metrics.observe(method, path, status, ms)
      const line = { requestId, method, path: truncatePath(path), status, ms: Math.round(ms * 100) / 100, ip }
      log.request(writableFinished ? line : { ...line, aborted: true })
    })
    next()
  }
}
