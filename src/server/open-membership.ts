// Builds the membership from the settings: for the server, and for commands on the same database.
import { dirname, join } from 'node:path'
import { developmentSecret } from '../core/development-secret.ts'
import type { Logger } from '../domain/logger.ts'
import { type Internals, type MembershipOptions, openInternals } from '../membership.ts'
import { settingsFrom } from '../settings/check.ts'
import type { MailSettings } from '../settings/options.ts'
import { type Config, ConfigError } from './config.ts'

export type { Internals }

/** Opens the database, and makes it where it is missing. */
export function openMembership(config: Config, { port, logger }: { readonly port: number; readonly logger: Logger }): Internals {
  return openInternals({
    ...config.membership,
    ...mailOf(config),
    baseUrl: baseUrlOf(config, port),
    database: config.database,
    secret: secretsOf(config),
    logger,
  })
}

function mailOf({ smtpUrl, mailFrom }: Config): Pick<MembershipOptions, 'mail'> {
  return smtpUrl === undefined || mailFrom === undefined ? {} : { mail: { url: smtpUrl.reveal(), from: mailFrom } }
}

/** How mails go out; undefined where they do not. */
export function mailSettingsOf(config: Config): MailSettings | undefined {
  const { database } = config
  return settingsFrom({ ...config.membership, ...mailOf(config), baseUrl: baseUrlOf(config, config.port), database }).settings
    .mail
}

/** In development, where nothing is said, the server is called localhost. */
export function baseUrlOf({ baseUrl, tls }: Pick<Config, 'baseUrl' | 'tls'>, port: number): string {
  if (baseUrl !== undefined) return baseUrl
  return new URL(`${tls ? 'https' : 'http'}://localhost:${port}`).origin
}

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
