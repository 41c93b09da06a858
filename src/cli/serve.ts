// `guildhall serve`: the site.
import { ConfigError } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { readConfig } from '../server/read-config.ts'
import { serve } from '../server/server.ts'
import { report, t } from './terminal.ts'

export async function serveSite(): Promise<void> {
  const { config, faults, warnings } = readConfig(readEnvironment())
  if (!config) throw new ConfigError(faults, warnings)
  try {
    await serve(config, warnings, t)
  } catch (error) {
    await report(error, config)
  }
}
