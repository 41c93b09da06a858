// `guildhall serve`: runs the site, in this process or, with WORKERS, in several.
import cluster from 'node:cluster'
import { type Config, ConfigError, type Reading, readConfig } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { checkReach } from './doctor/reach.ts'
import { checkSecretFiles } from './doctor/secrets.ts'
import { report } from './terminal.ts'

export interface ServeOptions {
  readonly workers?: string
}

export async function serveSite(options: ServeOptions): Promise<void> {
  const { config, faults, warnings } = read(options)
  if (!config) throw new ConfigError(faults, warnings)
  try {
    if (cluster.isWorker || config.workers !== undefined) {
      const { serveWithWorkers } = await import('../server/workers/serve-with-workers.ts')
      await serveWithWorkers(config, warnings, () => read(options))
    } else await serveAlone(config, warnings)
  } catch (error) {
    await report(error, config)
    // The channel to the supervisor would keep the process alive.
    if (cluster.isWorker) process.exit()
  }
}

async function serveAlone(config: Config, warnings: readonly string[]): Promise<void> {
  // Only workers are renewed by SIGHUP; a single process ends with its terminal.
  process.removeAllListeners('SIGHUP')
  const { createLog } = await import('../server/logging.ts')
  const { openSite } = await import('../server/site.ts')
  const log = await createLog(config)
  for (const text of warnings) log.warn({}, text)
  const { url, port, lifecycle, mailboxUrl } = await openSite(config, log)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => lifecycle.stop(signal, 0))
  log.startupBanner(url, { host: config.host, port })
  if (mailboxUrl !== undefined) log.info({}, `Mails are not sent in development, but kept at ${mailboxUrl}`)
}

/** The flag overrides the variable. Findings of doctor that need no database are warnings here too. */
function read({ workers }: ServeOptions): Reading {
  const real = readEnvironment()
  const environment = workers === undefined ? real : { ...real, values: new Map(real.values).set('WORKERS', workers) }
  const reading = readConfig(environment)
  if (!reading.config) return reading
  const findings = [...checkReach(reading.config), ...checkSecretFiles(reading.config, environment)]
  const warnings = findings.filter(({ mark }) => mark !== 'ok').map(({ text }) => text)
  return { ...reading, warnings: [...reading.warnings, ...warnings] }
}
