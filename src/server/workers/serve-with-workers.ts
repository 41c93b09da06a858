// `guildhall serve --workers N`: a supervisor that starts workers, or one of those.
import type { Config, Reading } from '../config.ts'
import { createLog, type ServerLog } from '../logging.ts'
import { readWorkerAssignment } from './assignment.ts'
import { Supervisor } from './supervisor.ts'
import { WorkerEndedError } from './worker-process.ts'

/** Resolves when the site is open. Throws if this process cannot start; exits if its first worker cannot. */
export async function serveWithWorkers(
  config: Config,
  warnings: readonly string[],
  /** Reads the settings again, for workers that start later. */
  reread: () => Reading,
): Promise<void> {
  const assignment = readWorkerAssignment()
  if (assignment !== undefined) {
    const { serveAsWorker } = await import('./worker.ts')
    return serveAsWorker(config, assignment)
  }
  try {
    await supervise(config, warnings, reread)
  } catch (error) {
    if (error instanceof WorkerEndedError) process.exit(error.exitCode)
    throw error
  }
}

/** This process opens no database and answers no request. */
async function supervise(config: Config, warnings: readonly string[], reread: () => Reading): Promise<void> {
  const { workers = 1 } = config
  const log = await createLog(config, { shared: true })
  for (const text of warnings) log.warn({}, text)
  const supervisor = new Supervisor(workers, { port: config.port, host: config.host }, log)
  watchSignals(supervisor, log, () => {
    const { config: next, faults, warnings: later } = reread()
    for (const text of later) log.warn({}, text)
    if (next && (next.port !== config.port || next.host !== config.host))
      log.warn({ port: config.port, host: config.host }, 'another PORT or HOST takes a restart: the workers stay where they are')
    if (next) return void supervisor.renew(next.workers ?? workers)
    for (const text of faults) log.error({}, text)
    log.error({}, 'the settings have faults: the workers go on with the old ones')
  })
  const { url, port } = await supervisor.open()
  log.startupBanner(url, { host: config.host, port, workers })
}

function watchSignals(supervisor: Supervisor, log: ServerLog, renew: () => void): void {
  let stopping = false
  const exit = async (code: number) => {
    await log.flush()
    process.exit(code)
  }
  const stop = (signal: string) => {
    if (stopping) {
      supervisor.kill()
      return void exit(1)
    }
    stopping = true
    log.info({ because: signal }, 'stopping')
    void supervisor.stop().then((well) => {
      log.info({}, 'stopped')
      return exit(well ? 0 : 1)
    })
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGHUP', () => {
    // The terminal was closed.
    if (process.stdin.isTTY) stop('SIGHUP')
    else if (!stopping) renew()
  })
}
