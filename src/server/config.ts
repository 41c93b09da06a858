// The settings of the server, checked and complete.
import type { Secret } from '../domain/secret.ts'
import { translator } from '../i18n/translate.ts'
import type { MembershipOptions } from '../settings/options.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { TrustProxy } from './read-settings.ts'

export interface Config {
  readonly production: boolean
  readonly port: number
  readonly host: string
  /** Undefined: http://localhost and the port, in development. */
  readonly baseUrl: string | undefined
  readonly trustProxy: TrustProxy | undefined
  /** Processes that share the port, with one that looks after them. Undefined: this process is the server, alone. */
  readonly workers: number | undefined
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly database: string
  /** Undefined where the database is in memory. */
  readonly databaseFile: string | undefined
  /** None: development, made once and kept in a file. */
  readonly secrets: readonly Secret[]
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'pretty' | undefined }
  readonly metricsToken: Secret | undefined
  readonly membership: Omit<MembershipOptions, 'baseUrl' | 'database' | 'secret' | 'logger'>
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Reading {
  /** Undefined where there are faults. */
  readonly config: Config | undefined
  readonly faults: readonly Diagnostic[]
  readonly warnings: readonly Diagnostic[]
}

/** Settings that do not work. Says all of them, one a line; its message is the English of them. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly Diagnostic[]
  /** What may explain a fault: a setting that is spelled another way. */
  readonly warnings: readonly Diagnostic[]

  constructor(faults: readonly Diagnostic[], warnings: readonly Diagnostic[] = []) {
    const english = translator('en')
    super(faults.map(({ key, values }) => english(key, values)).join('\n'))
    this.faults = faults
    this.warnings = warnings
  }
}
