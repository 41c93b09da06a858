// Where the secret comes from, and who else on this machine could read it and the data.
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../server/config.ts'
import { secretFile } from '../../server/development-secret.ts'
import type { Environment, Source } from '../../server/env.ts'
import { t } from '../terminal.ts'
import { bad, type Finding, fine } from './finding.ts'

export function checkSecretSource(config: Config, { sources }: Environment): Finding {
  const source = sources.get('SECRET')
  if (source !== undefined) return fine(t('cli.doctor.secret_set', { source: inWords(source) }))
  const file = secretFile(config)
  return fine(t(existsSync(file) ? 'cli.doctor.secret_file' : 'cli.doctor.secret_later', { file }))
}

function inWords(source: Source): string {
  if (source === 'environment') return t('cli.doctor.source_environment')
  return source === '.env' ? source : t('cli.doctor.source_file', { name: source.file })
}

/** Whatever holds a password hash or a secret belongs to one user alone. */
export function checkFiles(config: Config, { file: dotEnv, sources }: Environment): readonly Finding[] {
  // Windows has no such modes.
  if (process.platform === 'win32') return []
  const { databaseFile } = config
  const data = databaseFile === undefined ? [] : [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`]
  const secrets = config.secrets.length === 0 ? [secretFile(config)] : []
  const env = dotEnv !== undefined && [...sources.values()].includes('.env') && sources.get('SECRET') === '.env' ? [dotEnv] : []
  const files = [...data, ...secrets, ...env].filter((path) => existsSync(path))
  const open = files.filter((path) => (statSync(path).mode & 0o077) !== 0).map((path) => bad(t('cli.doctor.file_open', { path })))
  const folder = databaseFile === undefined ? [] : checkFolder(dirname(databaseFile))
  const findings = [...open, ...folder]
  return findings.length === 0 && files.length > 0 ? [fine(t('cli.doctor.files'))] : findings
}

/** Others may look into a folder, as into a home; they may not put a file of theirs in the place of ours. */
function checkFolder(folder: string): readonly Finding[] {
  const isOpen = existsSync(folder) && (statSync(folder).mode & 0o022) !== 0
  return isOpen ? [bad(t('cli.doctor.folder_open', { folder }))] : []
}
