// Going out: nobody new is let in, who is inside is served, the database is closed, and after ten seconds the light goes off.

import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerLog } from './logging.ts'

/** So long connections in use may bring one more request, which is answered with `Connection: close`. */
const WINDING_DOWN_MS = 500
/** So long accepted requests may take. */
const PATIENCE_MS = 8000
const LIGHTS_OFF_MS = 10_000

export interface Lifecycle {
  isStopping(): boolean
  /** Ends the server; the process exits with this code. Called again while it works: exits at once. */
  stop(because: string, exitCode: number): void
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
  let stopping = false

  const windDown = async (exitCode: number) => {
    // Still listening: a load balancer learns from /readyz, not from a refused connection.
    const deadline = performance.now() + PATIENCE_MS
    if (await hasConnections(server)) await sleep(WINDING_DOWN_MS)
    // Closes idle connections too; those at work follow with their answer.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await Promise.race([closed, sleep(deadline - performance.now())])
    server.closeAllConnections()
    await close()
    log.info({}, 'stopped')
    exit(exitCode)
  }

  const exit = (exitCode: number) => {
    log.flush()
    process.exit(exitCode)
  }

  return {
    isStopping: () => stopping,
    stop(because, exitCode) {
      if (stopping) return exit(exitCode === 0 ? 1 : exitCode)
      stopping = true
      log.info({ because }, 'stopping')
      setTimeout(() => exit(exitCode), LIGHTS_OFF_MS).unref()
      windDown(exitCode).catch((error: unknown) => {
        log.error({ err: error }, 'stopping did not go well')
        exit(1)
      })
    },
  }
}

function hasConnections(server: Server): Promise<boolean> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(!error && count > 0)))
}
