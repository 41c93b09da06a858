// One worker: the site in a process that shares its port, and goes when the supervisor says so.
import { availableParallelism } from 'node:os'
import { newId } from '../../domain/secret.ts'
import { DEFAULT_QUEUE_LIMIT } from '../../passwords/hasher.ts'
import type { Config } from '../config.ts'
import { createLog } from '../logging.ts'
import type { Metrics } from '../metrics.ts'
import { joinMetrics } from '../metrics-text.ts'
import { openSite } from '../site.ts'
import type { WorkerAssignment } from './assignment.ts'
import type { ToSupervisor, ToWorker } from './messages.ts'

/** Resolves when the site is open. Throws if it cannot start. */
export async function serveAsWorker(read: Config, { number, port: openPort, listen }: WorkerAssignment): Promise<void> {
  const config = { ...read, ...listen }
  const log = await createLog(config, { shared: true, base: { worker: number } })
  const collecting = new Map<string, (texts: readonly string[]) => void>()
  const { url, port, metrics, lifecycle } = await openSite(shareOf(config), log, {
    exposeMetrics: (own) => withAll(own, collecting),
    openPort,
  })
  process.on('message', (message: ToWorker) => {
    if (message.verb === 'stop') return message.replaced ? lifecycle.drain() : stop('the supervisor')
    if (message.verb === 'ping') return send({ verb: 'pong' })
    if (message.verb === 'collected') return collecting.get(message.call)?.(message.texts)
    // An unknown verb comes from a newer supervisor.
    if (message.verb !== 'measure') return
    const { call } = message
    const labels = { worker: String(number) }
    metrics.text(labels).then(
      (text) => send({ verb: 'measured', call, text }),
      (error: unknown) => log.error({ err: error }, 'the metrics could not be sent'),
    )
  })
  // A terminal and systemd signal every process, and so does the supervisor. A second signal must not exit at once: to hurry, one kills.
  const stop = (because: string) => {
    if (!lifecycle.isClosing()) lifecycle.stop(because, 0)
  }
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', () => stop('SIGTERM'))
  send({ verb: 'ready', url, port })
}

function send(message: ToSupervisor): void {
  process.send?.(message)
}

/** Each worker answers with the metrics of all. */
function withAll(own: Metrics, collecting: Map<string, (texts: readonly string[]) => void>): Metrics {
  return {
    observe: own.observe,
    connectionDropped: own.connectionDropped,
    async text() {
      const call = newId()
      const texts = await new Promise<readonly string[]>((resolve) => {
        collecting.set(call, resolve)
        send({ verb: 'collect', call })
      })
      collecting.delete(call)
      return joinMetrics(texts)
    },
  }
}

/** Limits for the whole machine are divided among the workers. */
function shareOf(config: Config): Config {
  const { workers: count = 1, membership } = config
  const { passwords } = membership
  const share = (whole: number) => Math.ceil(whole / count)
  return {
    ...config,
    membership: {
      ...membership,
      passwords: {
        ...passwords,
        workers: share(passwords?.workers ?? availableParallelism()),
        queueLimit: share(passwords?.queueLimit ?? DEFAULT_QUEUE_LIMIT),
      },
    },
  }
}
