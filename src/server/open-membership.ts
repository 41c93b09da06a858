// Builds the membership from the settings: for the server, and for commands on the same database.
import { dirname, join } from 'node:path'
import { developmentSecret } from '../core/development-secret.ts'
import type { Logger } from '../domain/logger.ts'
import { type Internals, openInternals } from '../membership.ts'
import { type Config, ConfigError } from './config.ts'

export type { Internals }

/** Opens the database, or makes it. */
export function openMembership(config: Config, { port, logger }: { readonly port: number; readonly logger: Logger }): Internals {
  return openInternals({
    ...config.membership,
    baseUrl: baseUrlOf(config, port),
    database: config.database,
    secret: secretsOf(config),
    logger,
  })
}

/** In development the default is localhost. */
export function baseUrlOf({ baseUrl, tls }: Pick<Config, 'baseUrl' | 'tls'>, port: number): string {
  if (baseUrl !== undefined) return baseUrl
  return new URL(`${tls ? 'https' : 'http'}://localhost:${port}`).origin
}

/** Beside the database file, or in `./data` for a database in memory. */
export function secretFile({ databaseFile }: Pick<Config, 'databaseFile'>): string {
  return join(databaseFile === undefined ? 'data' : dirname(databaseFile), 'secret')
}

/** The secrets of the settings, or the one from the file, which is made if it is missing. */
export function secretsOf(config: Config): readonly string[] {
  if (config.secrets.length > 0) return config.secrets.map((secret) => secret.reveal())
  const path = secretFile(config)
  const secret = developmentSecret(path)
  if (secret === undefined) throw new ConfigError([`${path} is damaged: delete it, and a new secret is made`])
  return [secret]
}
