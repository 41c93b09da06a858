// Every setting of the server, checked at once: what is wrong is told in one go, each fault with the name of its variable.
import { availableParallelism } from 'node:os'
import { parseDuration } from '../domain/duration.ts'
import { DEFAULT_MIN_PASSWORD_CODE_POINTS, MAX_PASSWORD_CODE_POINTS } from '../domain/password-policy.ts'
import { LOCALES } from '../i18n/translate.ts'
import { isRedisUrl } from '../settings/check.ts'
import type { MembershipOptions, PasswordOptions, SessionTimes } from '../settings/options.ts'
import { checkAddress } from './check-address.ts'
import { checkSecrets } from './check-secrets.ts'
import { type Config, ConfigError, LOG_LEVELS, type Reading } from './config.ts'
import { type Note, noteIn } from './diagnostic.ts'
import type { Environment } from './env.ts'
import { type SettingsReader, settingsReader } from './read-settings.ts'
import { readDatabase } from './redact-database-url.ts'

/** What was set, and what went wrong on the way to it. */
type Found = Pick<Environment, 'values' | 'faults' | 'warnings'>

export function readConfig(environment: Found): Reading {
  const faults = [...environment.faults]
  const warnings = [...environment.warnings]
  const fault = noteIn(faults)
  const warn = noteIn(warnings)
  const read = settingsReader(environment.values, fault)
  const production = checkMode(read, warn)
  refuseLater(read, fault, warn)
  const insecureHttp = read.onOff('INSECURE_HTTP')
  const config = {
    production,
    ...checkAddress(read, { production, insecureHttp: insecureHttp ?? false }, fault),
    ...checkDatabase(read, production, fault),
    workers: checkWorkers(read, fault),
    ...checkSecrets(read, production, fault),
    log: { level: read.choice('LOG_LEVEL', LOG_LEVELS) ?? 'info', format: read.choice('LOG_FORMAT', ['json', 'pretty']) },
    membership: { ...given({ insecureHttp }), ...checkMembership(read, production, environment, fault) },
  }
  return { config: faults.length === 0 ? config : undefined, faults, warnings }
}

/** Throws ConfigError with every fault. */
export function configOf(environment: Found): Config {
  const { config, faults, warnings } = readConfig(environment)
  if (!config) throw new ConfigError(faults, warnings)
  return config
}

function checkMode(read: SettingsReader, warn: Note): boolean {
  const mode = read.text('NODE_ENV')
  if (mode === 'production') return true
  // A typo here would switch every protection of production off.
  if (mode !== undefined && /^\s*prod/i.test(mode)) warn('setting.production')
  return false
}

/** Whoever sets one of these expects it to work: silence would be a promise. */
function refuseLater(read: SettingsReader, fault: Note, warn: Note): void {
  if (read.text('REGISTRATION_DOMAINS')) fault('setting.later.domains')
  if (read.text('EMAIL') === 'required') fault('setting.later.email')
  if (read.text('SMTP_URL') || read.text('MAIL_FROM')) warn('setting.later.mail')
}

function checkDatabase(read: SettingsReader, production: boolean, fault: Note): Pick<Config, 'database' | 'databaseFile'> {
  const database = read.text('DATABASE_URL') ?? 'sqlite:./data/guildhall.db'
  const place = readDatabase(database)
  if (!place) fault('setting.database')
  if (database === 'sqlite::memory:' && production) fault('setting.database_memory')
  return place ?? { database, databaseFile: undefined }
}

const MOST_WORKERS = 256

function checkWorkers(read: SettingsReader, fault: Note): number | undefined {
  const given = read.text('WORKERS')
  if (given === undefined) return undefined
  const workers = given === 'auto' ? availableParallelism() : /^\d{1,3}$/.test(given) ? Number(given) : 0
  if (workers < 1 || workers > MOST_WORKERS) fault('setting.workers', { most: String(MOST_WORKERS) })
  // Each would have a database of its own.
  if (workers > 1 && read.text('DATABASE_URL') === 'sqlite::memory:') fault('setting.workers_memory')
  return workers
}

function checkMembership(read: SettingsReader, production: boolean, environment: Found, fault: Note): Config['membership'] {
  const siteName = read.text('SITE_NAME')
  if (siteName !== undefined && (siteName.trim() === '' || siteName.length > 64)) fault('setting.site_name')
  const rateLimit = read.onOff('RATE_LIMIT')
  if (production && rateLimit === false) fault('setting.rate_limit')
  return given({
    redis: checkRedis(read, fault),
    production,
    siteName,
    rateLimit,
    strictOrigin: read.onOff('STRICT_ORIGIN'),
    trustedOrigins: checkOrigins(read.list('TRUSTED_ORIGINS'), fault),
    registration: checkRegistration(read, fault),
    locale: read.choice('LOCALE', LOCALES),
    session: checkTimes(read, environment, fault),
    cookie: checkCookie(read, fault),
    passwords: checkPasswords(read, production),
  })
}

function checkRedis(read: SettingsReader, fault: Note): string | undefined {
  const url = read.text('REDIS_URL')
  if (url !== undefined && !isRedisUrl(url)) fault('setting.redis')
  return url
}

function checkRegistration(read: SettingsReader, fault: Note): 'open' | 'closed' | undefined {
  const later = ['invite', 'approval'].find((kind) => kind === read.text('REGISTRATION'))
  if (later === undefined) return read.choice('REGISTRATION', ['open', 'closed'])
  fault('setting.later.registration', { kind: later })
  return undefined
}

function checkOrigins(origins: readonly string[], fault: Note): readonly string[] {
  const isExact = (origin: string) =>
    /^https?:\/\/[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin
  if (!origins.every(isExact)) fault('setting.trusted_origins')
  return origins
}

const DAY_MS = 86_400_000

function checkTimes(read: SettingsReader, { values }: Found, fault: Note): SessionTimes {
  const pairs = [
    { idle: 'SESSION_IDLE_TIMEOUT', absolute: 'SESSION_ABSOLUTE_TIMEOUT', idleDefault: '15m', absoluteDefault: '12h' },
    { idle: 'REMEMBER_IDLE_TIMEOUT', absolute: 'REMEMBER_ABSOLUTE_TIMEOUT', idleDefault: '14d', absoluteDefault: '30d' },
  ] as const
  const ms = (text: string) => parseDuration(text) ?? 0
  for (const { idle, absolute, idleDefault, absoluteDefault } of pairs) {
    const longest = ms(values.get(absolute) ?? absoluteDefault)
    const parsed = ms(values.get(idle) ?? idleDefault)
    if (longest === 0 || parsed <= longest) continue
    if (values.has(absolute)) fault('setting.idle_longer', { idle, absolute })
    else fault('setting.idle_longer_than_default', { idle, absolute, limit: absoluteDefault })
  }
  // RFC 6265bis: user agents cap lifetimes at 400 days.
  if (ms(values.get('REMEMBER_ABSOLUTE_TIMEOUT') ?? '') > 400 * DAY_MS) fault('setting.remember_longest')
  return given({
    idleTimeout: read.duration('SESSION_IDLE_TIMEOUT'),
    absoluteTimeout: read.duration('SESSION_ABSOLUTE_TIMEOUT'),
    rememberIdleTimeout: read.duration('REMEMBER_IDLE_TIMEOUT'),
    rememberAbsoluteTimeout: read.duration('REMEMBER_ABSOLUTE_TIMEOUT'),
  })
}

function checkCookie(read: SettingsReader, fault: Note): NonNullable<MembershipOptions['cookie']> {
  const name = read.text('COOKIE_NAME')
  const isName = name === undefined || (/^[A-Za-z0-9_-]{1,64}$/.test(name) && !/^__(?:host|secure)-/i.test(name))
  if (!isName) fault('setting.cookie_name')
  return given({ name, sameSite: read.choice('COOKIE_SAME_SITE', ['strict', 'lax']) })
}

function checkPasswords(read: SettingsReader, production: boolean): PasswordOptions {
  return given({
    hash: read.choice('PASSWORD_HASH', ['argon2id', 'bcrypt']),
    minLength: read.whole('PASSWORD_MIN_LENGTH', DEFAULT_MIN_PASSWORD_CODE_POINTS, MAX_PASSWORD_CODE_POINTS / 4),
    pepper: read.list('PASSWORD_PEPPER'),
    // OWASP Password Storage: argon2id with 19 MiB and two passes. Less is for tests.
    memoryKiB: read.whole('HASH_MEMORY_KIB', production ? 19_456 : 8, 1_048_576),
    passes: read.whole('HASH_PASSES', production ? 2 : 1, 64),
    workers: read.whole('HASH_WORKERS', 1, 256),
    queueLimit: read.whole('HASH_QUEUE', 1, 100_000),
  })
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

/** Without the properties that are not set, so that the defaults of the library count. */
function given<T extends object>(
  properties: T,
): Given<T> & { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } {
  // The one cast: Object.entries forgets which keys there were.
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as ReturnType<typeof given<T>>
}
