// `guildhall doctor`: checks the settings and their environment, and changes nothing.

import { readConfig } from '../server/config.ts'
import { readEnvironment } from '../server/env.ts'
import { pad } from './columns.ts'
import { checkDatabase } from './doctor/database.ts'
import { error, type Finding, ok, warning } from './doctor/finding.ts'
import { checkHashing } from './doctor/hashing.ts'
import { checkMail } from './doctor/mail.ts'
import { checkReach } from './doctor/reach.ts'
import { checkRedis } from './doctor/redis.ts'
import { checkFiles, checkSecretSource } from './doctor/secrets.ts'
import { FAILURE, type Json, plural, print, printJson } from './terminal.ts'

export async function examine({ json }: Json): Promise<void> {
  const environment = readEnvironment()
  const { config, faults, warnings } = readConfig(environment)
  const findings: Finding[] = [ok(`Node ${process.versions.node}`)]
  findings.push(...faults.map(error), ...warnings.map(warning))
  if (config) {
    findings.push(
      ok(
        config.production
          ? 'Production: unsafe settings are refused.'
          : 'Development: unsafe settings are allowed. A public site needs NODE_ENV=production.',
      ),
      ...checkReach(config),
      checkSecretSource(config, environment),
      ...checkFiles(config, environment),
      ...(await checkDatabase(config)),
      ...(await checkRedis(config)),
      ...(await checkMail(config)),
      await checkHashing(config),
    )
  }
  const errors = findings.filter(({ mark }) => mark === 'error').length
  if (errors > 0) process.exitCode = FAILURE
  if (json) return printJson({ well: errors === 0, findings })
  for (const { mark, text } of findings) print(`${pad(mark, 9)}${text}`)
  print('')
  print(errors === 0 ? 'Nothing here keeps the site from working.' : `${plural(errors, 'error')}: see above what to do.`)
}
