// `guildhall doctor`: explains a wrong setting before it bites. Looks, and changes nothing.

import type { Diagnostic } from '../server/diagnostic.ts'
import { readEnvironment } from '../server/env.ts'
import { readConfig } from '../server/read-config.ts'
import { pad } from './columns.ts'
import { checkDatabase } from './doctor/database.ts'
import { bad, type Finding, fine, odd } from './doctor/finding.ts'
import { checkHashing } from './doctor/hashing.ts'
import { checkReach } from './doctor/reach.ts'
import { checkFiles, checkSecretSource } from './doctor/secrets.ts'
import { FAILURE, say, sayJson, t } from './terminal.ts'

const MARKS = { ok: t('cli.doctor.ok'), warning: t('cli.doctor.warning'), fault: t('cli.doctor.fault') } as const

export async function examine({ json }: { readonly json: boolean }): Promise<void> {
  const environment = readEnvironment()
  const { config, faults, warnings } = readConfig(environment)
  const findings: Finding[] = [fine(t('cli.doctor.node', { version: process.versions.node }))]
  const inWords = ({ key, values }: Diagnostic) => t(key, values)
  findings.push(...faults.map(inWords).map(bad), ...warnings.map(inWords).map(odd))
  if (config) {
    findings.push(
      fine(t(config.production ? 'cli.doctor.production' : 'cli.doctor.development')),
      ...checkReach(config),
      checkSecretSource(config, environment),
      ...checkFiles(config, environment),
      ...(await checkDatabase(config)),
      await checkHashing(config),
    )
  }
  const faulty = findings.filter(({ mark }) => mark === 'fault').length
  if (faulty > 0) process.exitCode = FAILURE
  if (json) return sayJson({ well: faulty === 0, findings })
  for (const { mark, text } of findings) say(`${pad(MARKS[mark], 9)}${text}`)
  say('')
  say(faulty === 0 ? t('cli.doctor.well') : t.count('cli.doctor.unwell', faulty))
}
