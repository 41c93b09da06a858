// `guildhall serve --workers N`: the process that looks after the others. It opens no database and answers nobody.
import type { Translate } from '../../i18n/translate.ts'
import type { Config, Reading } from '../config.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { createLog, type ServerLog } from '../logging.ts'
import { Supervisor } from './supervisor.ts'

export interface SupervisedOptions {
  readonly workers: number
  readonly warnings: readonly Diagnostic[]
  /** Reads the settings anew, for workers that start later. */
  readonly reread: () => Reading
  readonly t: Translate
}

/** Resolves when all workers serve. Throws `WorkerEnded` where the first cannot start; it has said why. */
export async function serveWithWorkers(config: Config, { workers, warnings, reread, t }: SupervisedOptions): Promise<void> {
  const log = await createLog(config, { t, shared: true })
  const say = (remarks: readonly Diagnostic[]) => {
    for (const { key, values } of remarks) log.warn({}, log.words(key, values))
  }
  say(warnings)
  const supervisor = new Supervisor(workers, log)
  watchSignals(supervisor, log, () => {
    const { config: next, faults, warnings: later } = reread()
    say(later)
    if (next) return void supervisor.renew(next.workers ?? workers)
    for (const { key, values } of faults) log.error({}, log.words(key, values))
    log.error({}, 'the settings have faults: the workers go on with the old ones')
  })
  const { url, port } = await supervisor.open()
  log.greet(log.words('server.open', { url }), { host: config.host, port, workers })
}

function watchSignals(supervisor: Supervisor, log: ServerLog, renew: () => void): void {
  let stopping = false
  const exit = (code: number) => {
    log.flush()
    process.exit(code)
  }
  const stop = (signal: string) => {
    if (stopping) {
      supervisor.kill()
      return exit(1)
    }
    stopping = true
    log.info({ because: signal }, 'stopping')
    void supervisor.stop().then((well) => {
      log.info({}, 'stopped')
      exit(well ? 0 : 1)
    })
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGHUP', () => {
    // Of a terminal it says that nobody sits there any more.
    if (process.stdin.isTTY) stop('SIGHUP')
    else if (!stopping) renew()
  })
}
