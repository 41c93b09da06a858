// The ports beside the site's own: metrics for this machine, and one that only leads to https.
import type { RequestListener, Server } from 'node:http'
import { isRead } from '../http/origin-check.ts'
import type { Config } from './config.ts'
import type { Metrics } from './metrics.ts'
import { METRICS_TYPE } from './metrics-text.ts'
import { createNodeServer, listen } from './node-server.ts'

const LOOPBACK = '127.0.0.1'

export interface SidePorts {
  close(): void
}

/** Resolves when they are open. Rejects if one is taken. */
export async function openSidePorts(
  { metricsPort, redirectPort, host }: Config,
  { origin, metrics }: { readonly origin: string; readonly metrics: Metrics },
): Promise<SidePorts> {
  const servers: Server[] = []
  const close = () => {
    for (const server of servers) server.close()
    for (const server of servers) server.closeAllConnections()
  }
  const open = async (listener: RequestListener, place: { readonly port: number; readonly host: string }) => {
    const server = createNodeServer({ tls: undefined, hsts: undefined }, listener)
    await listen(server, place)
    servers.push(server)
  }
  try {
    if (metricsPort !== undefined) await open(serveMetrics(metrics), { port: metricsPort, host: LOOPBACK })
    if (redirectPort !== undefined) await open(leadTo(origin), { port: redirectPort, host })
  } catch (error) {
    close()
    throw error
  }
  return { close }
}

function serveMetrics(metrics: Metrics): RequestListener {
  return (req, res) => {
    if (!isRead(req) || req.url !== '/metrics') return void res.writeHead(404).end()
    metrics.text().then(
      (text) => res.writeHead(200, { 'Content-Type': METRICS_TYPE, 'Cache-Control': 'no-store' }).end(text),
      () => res.writeHead(503).end(),
    )
  }
}

/** Form data that came by http was readable on the way: it is not sent on. */
function leadTo(origin: string): RequestListener {
  return (req, res) => {
    const { url = '/' } = req
    if (!isRead(req)) return void res.writeHead(405, { Allow: 'GET, HEAD', Connection: 'close' }).end()
    res.writeHead(308, { Location: origin + (url.startsWith('/') ? url : '/'), Connection: 'close' }).end()
  }
}
