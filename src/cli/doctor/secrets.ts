// Checks where the secret comes from, and whether other users can read it or the data.
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../server/config.ts'
import type { Environment, Source } from '../../server/env.ts'
import { secretFile } from '../../server/open-membership.ts'
import { databaseFiles, describeExposed } from '../../storage/sqlite/file-mode.ts'
import { error, type Finding, ok } from './finding.ts'

export function checkSecretSource(config: Config, { sources }: Environment): Finding {
  const source = sources.get('SECRET')
  if (source !== undefined) return ok(`SECRET comes from ${inWords(source)}.`)
  const file = secretFile(config)
  if (existsSync(file)) return ok(`SECRET is not set; the one that was made in ${file} is used. Keep it with your backups.`)
  return ok(`SECRET is not set; the first start makes one in ${file}.`)
}

function inWords(source: Source): string {
  if (source === 'environment') return 'the environment'
  return source === '.env' ? source : `the file that ${source.file} names`
}

/** Files with password hashes or secrets must be readable by one user alone. */
export function checkFiles(config: Config, environment: Environment): readonly Finding[] {
  const { databaseFile } = config
  const files = databaseFile === undefined ? [] : databaseFiles(databaseFile)
  const findings = [...describeExposed(files).map(error), ...checkSecretFiles(config, environment)]
  const isThere = databaseFile !== undefined && existsSync(databaseFile)
  return findings.length === 0 && isThere ? [ok('Only this user can read the data.')] : findings
}

/** Like `checkFiles`, but without the database file, about which the logger warns when it is opened. */
export function checkSecretFiles(config: Config, { file: dotEnv, sources }: Environment): readonly Finding[] {
  const { databaseFile } = config
  const secrets = config.secrets.length === 0 ? [secretFile(config)] : []
  const env = dotEnv !== undefined && sources.get('SECRET') === '.env' ? [dotEnv] : []
  const folder = databaseFile === undefined ? [] : checkFolder(dirname(databaseFile))
  return [...describeExposed([...secrets, ...env]).map(error), ...folder]
}

/** Others may read the folder, like a home folder, but must not be able to replace our files. */
function checkFolder(folder: string): readonly Finding[] {
  // Windows has no file modes.
  const isOpen = process.platform !== 'win32' && existsSync(folder) && (statSync(folder).mode & 0o022) !== 0
  return isOpen ? [error(`Others on this machine can put files into ${folder}: chmod 700 ${folder}`)] : []
}
