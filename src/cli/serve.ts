// `guildhall serve`: the site.
import { ConfigError, type Reading } from '../server/config.ts'
import { readEnvironment, readWorkerPlace } from '../server/env.ts'
import { readConfig } from '../server/read-config.ts'
import { WorkerEnded } from '../server/workers/worker-ended.ts'
import { report, t } from './terminal.ts'

export interface ServeOptions {
  readonly workers?: string
}

export async function serveSite(options: ServeOptions): Promise<void> {
  const { config, faults, warnings } = read(options)
  if (!config) throw new ConfigError(faults, warnings)
  const place = readWorkerPlace()
  try {
    if (place !== undefined) {
      const { serveAsWorker } = await import('../server/workers/worker.ts')
      await serveAsWorker(config, place, t)
    } else if (config.workers !== undefined) {
      const { serveWithWorkers } = await import('../server/workers/serve-with-workers.ts')
      await serveWithWorkers(config, { workers: config.workers, warnings, reread: () => read(options), t })
    } else {
      // One process alone has nothing to renew, and ends as any other where its terminal is gone.
      process.removeAllListeners('SIGHUP')
      const { serve } = await import('../server/server.ts')
      await serve(config, warnings, t)
    }
  } catch (error) {
    // A worker that could not start has said why.
    if (error instanceof WorkerEnded) process.exit(error.exitCode)
    await report(error, config)
    // The line to the supervisor would hold the process open.
    if (place !== undefined) process.exit()
  }
}

/** The flag wins over the variable. */
function read({ workers }: ServeOptions): Reading {
  const environment = readEnvironment()
  if (workers === undefined) return readConfig(environment)
  return readConfig({ ...environment, values: new Map(environment.values).set('WORKERS', workers) })
}
