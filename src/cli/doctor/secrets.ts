// Where the secret comes from, and who else on this machine could read it and the data.
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

/** Whatever holds a password hash or a secret belongs to one user alone. */
export function checkFiles(config: Config, environment: Environment): readonly Finding[] {
  const { databaseFile } = config
  const files = databaseFile === undefined ? [] : databaseFiles(databaseFile)
  const findings = [...describeExposed(files).map(error), ...checkSecretFiles(config, environment)]
  const isThere = databaseFile !== undefined && existsSync(databaseFile)
  return findings.length === 0 && isThere ? [ok('Only this user can read the data.')] : findings
}

/** The same without the database, which says so itself when it is opened. */
export function checkSecretFiles(config: Config, { file: dotEnv, sources }: Environment): readonly Finding[] {
  const { databaseFile } = config
  const secrets = config.secrets.length === 0 ? [secretFile(config)] : []
  const env = dotEnv !== undefined && sources.get('SECRET') === '.env' ? [dotEnv] : []
  const folder = databaseFile === undefined ? [] : checkFolder(dirname(databaseFile))
  return [...describeExposed([...secrets, ...env]).map(error), ...folder]
}

/** Others may look into a folder, as into a home; they may not put a file of theirs in the place of ours. */
function checkFolder(folder: string): readonly Finding[] {
  // Windows has no such modes.
  const isOpen = process.platform !== 'win32' && existsSync(folder) && (statSync(folder).mode & 0o022) !== 0
  return isOpen ? [error(`Others on this machine can put files into ${folder}: chmod 700 ${folder}`)] : []
}
