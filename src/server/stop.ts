// Stops the server: drains connections, closes the database, exits after ten seconds at the latest.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { Server as Listener } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerLog } from './logging.ts'

/** How long connections in use may send one more request, which is answered with `Connection: close`. */
const LAST_REQUEST_MS = 500
/** The same if another process accepts connections meanwhile: nobody waits for this one to end. */
const DRAIN_MS = 2000
/** How long accepted requests may take. */
const SHUTDOWN_TIMEOUT_MS = 8000
const FORCE_EXIT_TIMEOUT_MS = 10_000

export interface Lifecycle {
  /** Whether answers close their connection. */
  isStopping(): boolean
  /** Whether the site ends, and no other process takes over. */
  isClosing(): boolean
  /** Ends the server; the process exits with this code. A second call exits at once. */
  stop(because: string, exitCode: number): void
  /** The same after another process has taken over: accepts no more connections, and takes its time. */
  drain(): void
}

export function createLifecycle({
  server,
  log,
  close,
}: {
  server: Server
  log: ServerLog
  close: () => Promise<void>
}): Lifecycle {
  let state: 'open' | 'replaced' | 'closing' = 'open'

  const shutDown = async (exitCode: number, lastRequests: () => Promise<void>) => {
    const deadline = performance.now() + SHUTDOWN_TIMEOUT_MS
    await lastRequests()
    // Closes idle connections too; the others end with their answer.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await Promise.race([closed, sleep(deadline - performance.now())])
    server.closeAllConnections()
    await close()
    log.info({}, 'stopped')
    await exit(exitCode)
  }

  /** Still listening: a load balancer should learn from /readyz, not from a refused connection. */
  const waitForLastRequests = async () => {
    if (await hasConnections(server)) await sleep(LAST_REQUEST_MS)
  }

  /** Accepts no more connections, and lets each open one send one more request. */
  const drainConnections = async () => {
    const empty = once(server, 'close')
    // Not the method of node:http, which ends idle connections: a request may be on its way there.
    Listener.prototype.close.call(server)
    await Promise.race([empty, sleep(DRAIN_MS)])
  }

  const exit = async (exitCode: number) => {
    await log.flush()
    process.exit(exitCode)
  }

  const begin = (because: string, exitCode: number, lastRequests: () => Promise<void>) => {
    log.info({ because }, 'stopping')
    setTimeout(() => process.exit(exitCode), FORCE_EXIT_TIMEOUT_MS).unref()
    shutDown(exitCode, lastRequests).catch((error: unknown) => {
      log.error({ err: error }, 'stopping did not go well')
      return exit(1)
    })
  }

  return {
    isStopping: () => state !== 'open',
    isClosing: () => state === 'closing',
    stop(because, exitCode) {
      if (state === 'closing') return void exit(exitCode === 0 ? 1 : exitCode)
      const isLeaving = state === 'replaced'
      state = 'closing'
      if (!isLeaving) begin(because, exitCode, waitForLastRequests)
    },
    drain() {
      if (state !== 'open') return
      state = 'replaced'
      begin('replaced', 0, drainConnections)
    },
  }
}

function hasConnections(server: Server): Promise<boolean> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(!error && count > 0)))
}
