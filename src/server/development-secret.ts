// Where the server keeps the secret that development makes for itself.
import { dirname, join } from 'node:path'
import { developmentSecret } from '../core/development-secret.ts'
import { type Config, ConfigError } from './config.ts'

/** Beside the database file; where the database is in memory, in `./data`. */
export function secretFile({ databaseFile }: Pick<Config, 'databaseFile'>): string {
  return join(databaseFile === undefined ? 'data' : dirname(databaseFile), 'secret')
}

/** The secrets of the settings, or the one from the file, made where there is none yet. */
export function secretsOf(config: Config): readonly string[] {
  if (config.secrets.length > 0) return config.secrets.map((secret) => secret.reveal())
  const path = secretFile(config)
  const secret = developmentSecret(path)
  if (secret === undefined) throw new ConfigError([`${path} is damaged: delete it, and a new secret is made`])
  return [secret]
}
