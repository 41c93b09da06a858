// The site in this process: its port, its internals, its application, and how it ends.
import type { RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Core } from '../core/core.ts'
import { isRead } from '../http/origin-check.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { limitConnections } from './connection-limit.ts'
import { openDevMailbox } from './dev-mailbox.ts'
import { type ServerLog, truncatePath } from './logging.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createNodeServer, listen } from './node-server.ts'
import { type Internals, openMembership } from './open-membership.ts'
import { SERVICE_PATHS } from './service-paths.ts'
import { openSidePorts, type SidePorts } from './side-ports.ts'
import { SITE_FILES } from './site-files.ts'
import { createLifecycle, type Lifecycle } from './stop.ts'

/** How long a process that starts beside others waits for stores that do not answer. */
const MAX_STORE_WAIT_MS = 3000

export interface OpenSite {
  readonly url: string
  readonly port: number
  readonly metrics: Metrics
  readonly lifecycle: Lifecycle
  /** The mailbox of development; anybody with this URL may read it. */
  readonly mailboxUrl: string | undefined
}

export interface SiteOptions {
  /** What `/metrics` returns, made from the metrics of this process. Default: these alone. */
  readonly exposeMetrics?: (own: Metrics) => Metrics
  /** A port that others already serve: taken last, when everything is open. Default: the port of the settings, taken first. */
  readonly openPort?: number | undefined
}

/** Resolves when the site is open. Throws if it cannot start; `explainFailure` explains why. */
export async function openSite(config: Config, log: ServerLog, { exposeMetrics, openPort }: SiteOptions = {}): Promise<OpenSite> {
  let handle: RequestListener = answerTooEarly
  const server = createNodeServer(config, (req, res) => handle(req, res))
  // The port comes first: a second server that is started by mistake fails before it opens the database.
  const port = openPort ?? (await listen(server, config))
  const closeAndThrow = (error: unknown): never => {
    server.close()
    server.closeAllConnections()
    throw error
  }
  const internals = await openForAll(config, port, log).catch(closeAndThrow)
  const metrics = createMetrics(internals.core, ['/', ...SERVICE_PATHS, ...SITE_FILES, ...internals.paths])
  const exposed = exposeMetrics?.(metrics) ?? metrics
  let sidePorts: SidePorts | undefined
  const close = () => {
    sidePorts?.close()
    return internals.membership.close()
  }
  const lifecycle = createLifecycle({ server, log, close })
  logEvents(internals.core, log)
  const mailbox = openDevMailbox(internals, config)
  handle = createApp({ config, internals, log, metrics: exposed, lifecycle, mailbox })
  watchErrors(lifecycle, log)
  if (openPort !== undefined) await untilReady(internals)
  sidePorts = await openSidePorts(config, { origin: internals.http.origin, metrics: exposed }).catch(async (error: unknown) => {
    await internals.membership.close()
    return closeAndThrow(error)
  })
  if (openPort !== undefined) await listen(server, config)
  limitConnections(server, log, metrics)
  server.on('error', (error) => log.error({ err: error }, 'the server failed'))
  return { url: internals.http.origin, port, metrics, lifecycle, mailboxUrl: mailbox?.url }
}

/** Opens connections to the stores before the first visitor. A store that is away is away for the other processes too. */
async function untilReady(internals: Internals): Promise<void> {
  const deadline = performance.now() + MAX_STORE_WAIT_MS
  while (performance.now() < deadline) {
    const isReady = await Promise.resolve(internals.core.db.ready()).then(
      () => true,
      () => false,
    )
    if (isReady) return
    await sleep(100)
  }
}

async function openForAll(config: Config, port: number, log: ServerLog): Promise<Internals> {
  const internals = openMembership(config, { port, logger: log, purpose: 'serve' })
  try {
    await internals.membership.migrate()
    return internals
  } catch (error) {
    await internals.membership.close()
    throw error
  }
}

/** The port is taken, the database not open yet. A migration may take minutes, in which a liveness probe must not end the process. */
const answerTooEarly: RequestListener = (req, res) => {
  const isHealth = isRead(req) && req.url === '/healthz'
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store', Connection: 'close' }
  res.writeHead(isHealth ? 200 : 503, { ...headers, ...(!isHealth && { 'Retry-After': '1' }) })
  res.end(isHealth ? '{"status":"ok"}' : '{"status":"unavailable"}')
}

/** Events for the operator. Never a name that was typed: people type their password there. */
function logEvents({ events }: Core, log: ServerLog): void {
  events.on('registered', ({ user }) => log.info({ userId: user.id }, 'registered'))
  events.on('login', ({ outcome, user, ip, requestId }) => log.info({ requestId, outcome, userId: user?.id, ip }, 'login'))
  events.on('password_changed', ({ user, ip, requestId }) => log.info({ requestId, userId: user.id, ip }, 'password changed'))
  events.on('refused', ({ code, path, ip, requestId }) => log.warn({ requestId, code, path: truncatePath(path), ip }, 'refused'))
}

function watchErrors(lifecycle: Lifecycle, log: ServerLog): void {
  // A bad request ends no process.
  process.on('unhandledRejection', (reason) => log.fatal({ err: reason }, 'a promise was rejected and nobody looked'))
  // The state is unknown now: running requests are answered, then a new process may start.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error that nobody caught')
    lifecycle.stop('uncaughtException', 1)
  })
}
