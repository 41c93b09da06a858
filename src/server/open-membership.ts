// Builds the membership from the settings: for the server, and for commands on the same database.
import { dirname, join } from 'node:path'
import { developmentSecret } from '../core/development-secret.ts'
import type { Logger } from '../domain/logger.ts'
import { type Internals, type MembershipOptions, openInternals } from '../membership.ts'
import { settingsFrom } from '../settings/check.ts'
import type { MailSettings, Settings } from '../settings/options.ts'
import { type Config, ConfigError } from './config.ts'

export type { Internals }

/** What the membership is going to be set to, with nothing opened or made yet. */
export function settingsOfConfig(config: Config): Settings {
  const { database } = config
  return settingsFrom({ ...config.membership, ...mailOptionOf(config), baseUrl: baseUrlOf(config, config.port), database })
    .settings
}

/** Opens the database, or creates it if it is missing. */
export function openMembership(
  config: Config,
  { port, logger, purpose }: { readonly port: number; readonly logger: Logger; readonly purpose: 'serve' | 'command' },
): Internals {
  const options = {
    ...config.membership,
    ...mailOptionOf(config),
    baseUrl: baseUrlOf(config, port),
    database: config.database,
    secret: serverSecrets(config),
    logger,
  }
  return openInternals(options, purpose)
}

function mailOptionOf({ smtpUrl, mailFrom }: Config): Pick<MembershipOptions, 'mail'> {
  return smtpUrl === undefined || mailFrom === undefined ? {} : { mail: { url: smtpUrl.reveal(), from: mailFrom } }
}

/** The settings of mail; undefined if it is not set up. */
export function mailSettingsOf(config: Config): MailSettings | undefined {
  return settingsOfConfig(config).mail
}

/** The default in development is localhost. */
export function baseUrlOf({ baseUrl, tls }: Pick<Config, 'baseUrl' | 'tls'>, port: number): string {
  if (baseUrl !== undefined) return baseUrl
  return new URL(`${tls ? 'https' : 'http'}://localhost:${port}`).origin
}

/** Beside the database file; in `./data` if there is none. */
export function secretFile({ databaseFile }: Pick<Config, 'databaseFile'>): string {
  return join(databaseFile === undefined ? 'data' : dirname(databaseFile), 'secret')
}

/** The secrets of the settings, or the one from the file, which is created if it is missing. */
export function serverSecrets(config: Config): readonly string[] {
  if (config.secrets.length > 0) return config.secrets.map((secret) => secret.reveal())
  const path = secretFile(config)
  const secret = developmentSecret(path)
  if (secret === undefined) throw new ConfigError([`${path} is damaged: delete it, and a new secret is made`])
  return [secret]
}
