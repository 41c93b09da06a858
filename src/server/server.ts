// `guildhall serve`: one process that is the site.
import type { Translate } from '../i18n/translate.ts'
import type { Config } from './config.ts'
import type { Diagnostic } from './diagnostic.ts'
import { createLog } from './logging.ts'
import { openSite } from './site.ts'

/** Resolves when people can come in. Throws where it cannot start; `explainFailure` finds the words. */
export async function serve(config: Config, warnings: readonly Diagnostic[], t: Translate): Promise<void> {
  const log = await createLog(config, { t })
  for (const { key, values } of warnings) log.warn({}, log.words(key, values))
  const { url, port, lifecycle } = await openSite(config, log)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => lifecycle.stop(signal, 0))
  log.greet(log.words('server.open', { url }), { host: config.host, port })
}
