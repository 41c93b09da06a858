// Builds the membership from the settings: for the server, and for each command that works on the same database.

import type { Logger } from '../domain/logger.ts'
import { type Internals, openInternals } from '../membership.ts'
import type { Config } from './config.ts'
import { secretsOf } from './development-secret.ts'

export type { Internals }

/** Opens the database, and makes it where it is missing. */
export function openMembership(config: Config, { port, logger }: { readonly port: number; readonly logger: Logger }): Internals {
  return openInternals({
    ...config.membership,
    baseUrl: baseUrlOf(config, port),
    database: config.database,
    secret: secretsOf(config),
    logger,
  })
}

/** In development, where nothing is said, the server is called localhost. */
export function baseUrlOf({ baseUrl, tls }: Pick<Config, 'baseUrl' | 'tls'>, port: number): string {
  if (baseUrl !== undefined) return baseUrl
  return new URL(`${tls ? 'https' : 'http'}://localhost:${port}`).origin
}
