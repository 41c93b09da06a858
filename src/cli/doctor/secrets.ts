// Where the secret comes from, and who else on this machine could read it and the data.
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../server/config.ts'
import type { Environment, Source } from '../../server/env.ts'
import { secretFile } from '../../server/open-membership.ts'
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
export function checkFiles(config: Config, { file: dotEnv, sources }: Environment): readonly Finding[] {
  // Windows has no such modes.
  if (process.platform === 'win32') return []
  const { databaseFile } = config
  const data = databaseFile === undefined ? [] : [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`]
  const secrets = config.secrets.length === 0 ? [secretFile(config)] : []
  const env = dotEnv !== undefined && sources.get('SECRET') === '.env' ? [dotEnv] : []
  const files = [...data, ...secrets, ...env].filter((path) => existsSync(path))
  const open = files
    .filter((path) => (statSync(path).mode & 0o077) !== 0)
    .map((path) => error(`Others on this machine can read or change ${path}: chmod 600 ${path}`))
  const folder = databaseFile === undefined ? [] : checkFolder(dirname(databaseFile))
  const findings = [...open, ...folder]
  return findings.length === 0 && files.length > 0 ? [ok('Only this user can read the data.')] : findings
}

/** Others may look into a folder, as into a home; they may not put a file of theirs in the place of ours. */
function checkFolder(folder: string): readonly Finding[] {
  const isOpen = existsSync(folder) && (statSync(folder).mode & 0o022) !== 0
  return isOpen ? [error(`Others on this machine can put files into ${folder}: chmod 700 ${folder}`)] : []
}
