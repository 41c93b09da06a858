// The configuration of the server: every variable held to its row, with all faults at once.
import { createSecureContext } from 'node:tls'
import { isLoopback } from '../domain/address.ts'
import { type DatabaseLocation, readDatabaseUrl } from '../domain/database-url.ts'
import { Secret } from '../domain/secret.ts'
import { checkSettings } from '../settings/check.ts'
import type { MembershipOptions } from '../settings/options.ts'
import { asList, type Collector, checkValues, createCollector, type RawValues, readVariables } from '../settings/schema.ts'
import { SETTINGS } from '../settings/table.ts'
import type { Environment } from './env.ts'
import { type LogLevel, SERVER_SETTINGS, type ServerOptions, type TrustProxy } from './table.ts'
import { variableOf } from './variable-names.ts'

export interface Config extends DatabaseLocation {
  readonly production: boolean
  readonly port: number
  readonly host: string
  /** Undefined: http://localhost and the port, in development. */
  readonly baseUrl: string | undefined
  readonly trustProxy: TrustProxy | undefined
  /** Processes that share the port under a supervisor. Undefined: this process alone is the server. */
  readonly workers: number | undefined
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** None: development, made once and kept in a file. */
  readonly secrets: readonly Secret[]
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'pretty' | undefined }
  readonly metricsToken: Secret | undefined
  readonly securityContact: string | undefined
  /** At 127.0.0.1. */
  readonly metricsPort: number | undefined
  /** Leads to the base URL. */
  readonly redirectPort: number | undefined
  /** The value of Strict-Transport-Security; undefined if it is not sent. */
  readonly hsts: string | undefined
  /** Undefined: no mail is sent; in development it is printed. */
  readonly smtpUrl: Secret | undefined
  readonly mailFrom: string | undefined
  readonly membership: Omit<MembershipOptions, 'baseUrl' | 'database' | 'secret' | 'logger'>
}

export interface Reading {
  /** Undefined if there are faults. */
  readonly config: Config | undefined
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
}

/** Settings that do not work: all of them, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]
  /** What may explain a fault: a setting that is spelled another way. */
  readonly warnings: readonly string[]

  constructor(faults: readonly string[], warnings: readonly string[] = []) {
    super(faults.join('\n'))
    this.faults = faults
    this.warnings = warnings
  }
}

/** Throws ConfigError with every fault. */
export function configOf(environment: Environment): Config {
  const { config, faults, warnings } = readConfig(environment)
  if (!config) throw new ConfigError(faults, warnings)
  return config
}

const DEFAULT_DATABASE = 'sqlite:./data/guildhall.db'

export function readConfig(environment: Environment): Reading {
  const collector = createCollector(variableOf, environment.faults)
  const warnings = [...environment.warnings]
  const variables = withoutLater(environment.values, collector.faults, warnings)
  const serverGiven = readVariables(SERVER_SETTINGS, variables)
  const server = checkValues<ServerOptions, typeof SERVER_SETTINGS>(SERVER_SETTINGS, serverGiven, collector, {
    showValues: false,
  })
  const production = server.mode === 'production'
  // A typo here would switch every protection of production off.
  if (!production && /^\s*prod/i.test(server.mode ?? ''))
    warnings.push("NODE_ENV means production only when it is written 'production'")
  const raw = readVariables(SETTINGS, variables)
  raw.set('production', production)
  if (!raw.has('database')) raw.set('database', DEFAULT_DATABASE)
  const isNamed = raw.has('baseUrl')
  if (!isNamed) raw.set('baseUrl', standInBaseUrl(server.host, production, collector))
  const values = checkSettings(raw, collector, { showValues: false })
  const tls = checkTls(server, serverGiven, collector)
  if (tls && isNamed && values.baseUrl?.startsWith('http:') && !collector.has('baseUrl'))
    collector.add('baseUrl', 'must begin with https: where TLS_CERT is set')
  if (server.redirectPort !== undefined && !serverGiven.has('tlsCert'))
    collector.add('redirectPort', 'goes with TLS_CERT: a proxy in front leads people to https itself')
  checkPorts(server, collector)
  checkSecretQuality(values.secret, production, collector)
  const location = readDatabaseUrl(String(raw.get('database'))) ?? { database: '', databaseFile: undefined }
  // Each worker would have a database of its own.
  if (server.workers !== undefined && server.workers > 1 && location.database === 'sqlite::memory:')
    collector.add('workers', 'need a database that they share: DATABASE_URL must name a file or PostgreSQL')

  const { faults } = collector
  if (faults.length > 0) return { config: undefined, faults, warnings }
  const { port, host, trustProxy, workers, logLevel, logFormat, metricsToken, metricsPort, redirectPort, securityContact } =
    server
  const config: Config = {
    ...location,
    production,
    port,
    host,
    baseUrl: isNamed && values.baseUrl !== undefined ? new URL(values.baseUrl).origin : undefined,
    // Nobody in front: said, but the same as not set.
    trustProxy: trustProxy === 0 ? undefined : trustProxy,
    workers,
    tls,
    secrets: asList(values.secret).map((secret) => new Secret(secret)),
    log: { level: logLevel, format: logFormat },
    metricsToken: metricsToken === undefined ? undefined : new Secret(metricsToken),
    securityContact,
    metricsPort,
    redirectPort,
    smtpUrl: values['mail.url'] === undefined ? undefined : new Secret(values['mail.url']),
    mailFrom: values['mail.from'],
    hsts: isNamed ? hstsFor(server.hsts, values.baseUrl ?? '') : undefined,
    membership: optionsOf(raw),
  }
  return { config, faults, warnings }
}

/** Rejects settings of later versions: as a fault, or as a warning if they promise nothing. */
function withoutLater(values: ReadonlyMap<string, string>, faults: string[], warnings: string[]): ReadonlyMap<string, string> {
  if (values.has('REGISTRATION_DOMAINS'))
    faults.push('REGISTRATION_DOMAINS is not in this version: take it out, or write REGISTRATION=closed')
  const dropped: string[] = []
  const email = values.get('EMAIL')
  // Debian's tools know a variable of that name.
  if (email?.includes('@')) {
    warnings.push('EMAIL holds an address, as other programs mean it, and is passed over: ours is optional, required or off')
    dropped.push('EMAIL')
  } else if (email === 'required')
    warnings.push('EMAIL=required is EMAIL=optional yet: in this version nobody has to prove an address')
  const registration = values.get('REGISTRATION')
  if (registration !== 'invite' && registration !== 'approval') return without(values, dropped)
  faults.push(
    `REGISTRATION=${registration} is not in this version: write open, or closed and make accounts with guildhall user create`,
  )
  return without(values, [...dropped, 'REGISTRATION'])
}

function without(values: ReadonlyMap<string, string>, names: readonly string[]): ReadonlyMap<string, string> {
  return new Map([...values].filter(([name]) => !names.includes(name)))
}

/** A development server that listens on this machine alone is localhost; any other needs BASE_URL. */
function standInBaseUrl(host: string, production: boolean, collector: Collector): string {
  const where = production ? 'in production' : 'where HOST is not this machine alone'
  if (production || !isLoopback(host))
    collector.add('baseUrl', `is required ${where}: write the address people use, like https://example.org`)
  return production ? 'https://localhost' : 'http://localhost'
}

function checkTls(
  { tlsCert: cert, tlsKey: key }: { readonly tlsCert: string | undefined; readonly tlsKey: string | undefined },
  raw: RawValues,
  collector: Collector,
): Config['tls'] {
  if (raw.has('tlsCert') !== raw.has('tlsKey')) collector.faults.push('TLS_CERT and TLS_KEY belong together: set both or none')
  if (cert === undefined || key === undefined) return undefined
  try {
    createSecureContext({ cert, key })
    return { cert, key }
  } catch {
    collector.faults.push(
      'TLS_CERT and TLS_KEY must be a certificate and its own private key, both in PEM and without a passphrase',
    )
    return undefined
  }
}

function checkPorts(
  { port, metricsPort, redirectPort }: Pick<Config, 'port' | 'metricsPort' | 'redirectPort'>,
  collector: Collector,
): void {
  for (const [path, other] of [
    ['metricsPort', metricsPort],
    ['redirectPort', redirectPort],
  ] as const)
    if (other === port) collector.add(path, 'must be another port than PORT')
  if (metricsPort !== undefined && metricsPort === redirectPort)
    collector.add('metricsPort', 'must be another port than REDIRECT_PORT')
}

/** One year (ASVS 3.4.1). Never for this machine: the header would also apply to every other site that is developed on it. */
function hstsFor(choice: 'on' | 'subdomains' | 'off', baseUrl: string): string | undefined {
  const { protocol, hostname } = new URL(baseUrl)
  if (choice === 'off' || protocol !== 'https:' || isLoopback(hostname)) return undefined
  return `max-age=31536000${choice === 'subdomains' ? '; includeSubDomains' : ''}`
}

/** A hexadecimal secret has about 14 of its 16 digits; a line of x has one. */
const MIN_DIFFERENT_CHARACTERS = 8

function checkSecretQuality(secret: string | readonly string[] | undefined, production: boolean, collector: Collector): void {
  const isFiller = asList(secret).some((one) => new Set(one).size < MIN_DIFFERENT_CHARACTERS)
  if (production && isFiller)
    collector.add('secret', 'must be random: it repeats a few characters; make one with: openssl rand -base64 33')
}

/** What is given apart: `openMembership` adds it. */
const APART = new Set(['baseUrl', 'database', 'secret', 'mail.url', 'mail.from'])

/** The values that were checked, as options of a membership. */
function optionsOf(raw: RawValues): Config['membership'] {
  const options: Record<string, unknown> = {}
  for (const [path, value] of raw) {
    if (APART.has(path)) continue
    const [group = '', name] = path.split('.')
    options[group] = name === undefined ? value : { ...Object(options[group]), [name]: value }
  }
  // The paths are those of the table, which the type of the options holds.
  return options as Config['membership']
}
