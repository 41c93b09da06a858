// Holds the options of a membership to what they may be. Everything is checked at once; one TypeError lists every fault.

import { isLoopback } from '../domain/address.ts'
import { systemClock } from '../domain/clock.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import { DEFAULT_MIN_PASSWORD_CODE_POINTS, MAX_PASSWORD_CODE_POINTS } from '../domain/password-policy.ts'
import { SECRET_BYTES } from '../domain/secret.ts'
import { LOCALES } from '../i18n/translate.ts'
import { HASH_LIMITS } from '../passwords/format.ts'
import type { MembershipOptions, PasswordOptions, SessionTimes, Settings } from './options.ts'

const LONGEST_COOKIE = 400 * 86_400_000 // RFC 6265bis: user agents cap lifetimes at 400 days.
const DATABASE = /^(?:sqlite:(?::memory:|(?!\/\/).+)|postgres(?:ql)?:\/\/.+)$/

/** The options as settings, and every fault with what to write instead, never a value that may be secret. `own`: options that the caller judges. */
export function readOptions(
  options: MembershipOptions,
  own: readonly string[] = [],
): { readonly settings: Settings; readonly faults: string[] } {
  const faults: string[] = []
  const fault = (text: string) => void faults.push(text)
  refuseUnknown('', options, [...OPTION_NAMES, ...own], fault)
  return { settings: settle(options, fault), faults }
}

function isDatabase(database: unknown): boolean {
  if (typeof database === 'string') return DATABASE.test(database)
  return typeof database === 'object' && database !== null && 'query' in database && 'connect' in database
}

function checkRedis({ redis: client, redisPrefix: prefix = 'guildhall:' }: MembershipOptions, fault: Fault): Settings['redis'] {
  if (!/^[\w:.-]{1,64}$/.test(prefix)) fault(`redisPrefix must have 1 to 64 letters, digits or any of :._-, got '${prefix}'`)
  if (client === undefined) return undefined
  const isUrl = typeof client === 'string' && isRedisUrl(client)
  const isClient = typeof client === 'object' && client !== null && typeof client.evalSha === 'function'
  if (!isUrl && !isClient) fault("redis must be 'redis://...', 'rediss://...' or an open client of the redis package")
  return { client, prefix }
}

export function isRedisUrl(text: string): boolean {
  return /^rediss?:\/\/./.test(text) && URL.canParse(text)
}

export const LOCAL_PATH = /^(?:\/[A-Za-z0-9_-]+)+$/

export type Fault = (text: string) => void

function settle(options: MembershipOptions, fault: Fault): Settings {
  const baseUrl = checkBaseUrl(options.baseUrl, fault)
  const production = options.production ?? !isLoopback(baseUrl.hostname)
  const secure = baseUrl.protocol === 'https:'
  if (production && !secure && options.insecureHttp !== true) {
    fault('baseUrl must be https: in production (insecureHttp: true allows http, at the price of every password on the way)')
  }
  if (!isDatabase(options.database)) {
    fault("database must be 'sqlite:PATH', 'sqlite::memory:', 'postgres://...' or an open Pool of the pg package")
  }
  if (production && options.database === 'sqlite::memory:')
    fault('database must be a file in production: sqlite::memory: forgets everybody')
  const rateLimit = options.rateLimit ?? true
  if (production && !rateLimit) fault('rateLimit must not be off in production')
  const siteName = options.siteName ?? 'Guildhall'
  if (siteName.trim() === '' || siteName.length > 64) fault('siteName must have 1 to 64 characters')
  const styleSheet = options.styleSheet ?? ''
  if (typeof styleSheet !== 'string') fault('styleSheet must be a text of CSS')
  const path = options.path ?? ''
  if (path !== '' && !LOCAL_PATH.test(path)) fault(`path must look like '/members', without a slash at the end, got '${path}'`)
  const locale = options.locale ?? 'en'
  if (!LOCALES.includes(locale)) fault(`locale must be one of ${LOCALES.join(', ')}, got '${locale}'`)
  return {
    baseUrl,
    database: options.database,
    redis: checkRedis(options, fault),
    path,
    secrets: checkSecret(options.secret, production, fault),
    siteName,
    styleSheet,
    production,
    ...checkTimes(options.session ?? {}, fault),
    cookie: { ...checkCookie(options.cookie ?? {}, fault), secure },
    passwords: checkPasswords(options.passwords ?? {}, production, fault),
    registration: oneOf('registration', options.registration ?? 'open', ['open', 'closed'], fault),
    rateLimit,
    trustedOrigins: checkOrigins(options.trustedOrigins ?? [], fault),
    strictOrigin: options.strictOrigin ?? false,
    locale,
    hooks: checkHooks(options.hooks ?? {}, fault),
    logger: options.logger ?? consoleLogger,
    clock: options.clock ?? systemClock,
  }
}

const OPTION_NAMES = [
  'baseUrl', 'database', 'redis', 'redisPrefix', 'path', 'secret', 'siteName', 'styleSheet', 'production', 'insecureHttp', 'session', 'cookie', 'passwords',
  'registration', 'rateLimit', 'trustedOrigins', 'strictOrigin', 'locale', 'hooks', 'logger', 'clock',
] // biome-ignore format: a list of names reads as a block

export function refuseUnknown(where: string, given: object, known: readonly string[], fault: Fault): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) fault(`there is no option ${where}${name}; known are ${known.join(', ')}`)
  }
}

function checkBaseUrl(text: string | undefined, fault: Fault): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url && (url.protocol === 'http:' || url.protocol === 'https:') && url.href === `${url.origin}/`
  if (url && isOrigin) return url
  fault("baseUrl must be an origin like 'https://example.org', without path, query or user")
  return new URL('http://localhost')
}

function checkSecret(secret: string | readonly string[] | undefined, production: boolean, fault: Fault): readonly string[] {
  const secrets = asList(secret)
  if (secrets.length === 0 && production)
    fault(`secret is required in production: ${SECRET_BYTES} bytes or more, the same at every start`)
  if (secrets.some((one) => Buffer.byteLength(one) < SECRET_BYTES)) fault(`secret must have ${SECRET_BYTES} bytes or more`)
  return secrets
}

function asList(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

function checkTimes(times: SessionTimes, fault: Fault): Pick<Settings, 'session' | 'remember' | 'keepAtLogin'> {
  refuseUnknown(
    'session.',
    times,
    ['idleTimeout', 'absoluteTimeout', 'rememberIdleTimeout', 'rememberAbsoluteTimeout', 'keepAtLogin'],
    fault,
  )
  const ms = (name: keyof SessionTimes, text: Duration) => {
    const parsed = parseDuration(text)
    if (parsed === undefined) fault(`session.${name} must be a duration like '15m', got '${text}'`)
    return parsed ?? 1
  }
  const session = {
    idleMs: ms('idleTimeout', times.idleTimeout ?? '15m'),
    absoluteMs: ms('absoluteTimeout', times.absoluteTimeout ?? '12h'),
  }
  const remember = {
    idleMs: ms('rememberIdleTimeout', times.rememberIdleTimeout ?? '14d'),
    absoluteMs: ms('rememberAbsoluteTimeout', times.rememberAbsoluteTimeout ?? '30d'),
  }
  if (session.idleMs > session.absoluteMs) fault('session.idleTimeout must not be longer than session.absoluteTimeout')
  if (remember.idleMs > remember.absoluteMs)
    fault('session.rememberIdleTimeout must not be longer than session.rememberAbsoluteTimeout')
  if (remember.absoluteMs > LONGEST_COOKIE)
    fault('session.rememberAbsoluteTimeout must not be longer than 400d: browsers keep no cookie longer')
  return { session, remember, keepAtLogin: times.keepAtLogin ?? [] }
}

function checkCookie(
  cookie: NonNullable<MembershipOptions['cookie']>,
  fault: Fault,
): { name: string; sameSite: 'strict' | 'lax' } {
  refuseUnknown('cookie.', cookie, ['name', 'sameSite'], fault)
  const name = cookie.name ?? 'guildhall'
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name) || /^__(?:host|secure)-/i.test(name)) {
    fault(
      'cookie.name must have 1 to 64 letters, digits, - or _, without __Host- or __Secure- (the scheme of baseUrl decides that)',
    )
  }
  return { name, sameSite: oneOf('cookie.sameSite', cookie.sameSite ?? 'strict', ['strict', 'lax'], fault) }
}

function checkPasswords(passwords: PasswordOptions, production: boolean, fault: Fault): Settings['passwords'] {
  refuseUnknown(
    'passwords.',
    passwords,
    ['hash', 'minLength', 'pepper', 'memoryKiB', 'passes', 'bcryptCost', 'workers', 'queueLimit'],
    fault,
  )
  const whole = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most)
      fault(`passwords.${name} must be a whole number from ${least} to ${most}, got ${value}`)
    return value
  }
  // OWASP Password Storage: argon2id with 19 MiB and two passes, bcrypt with at least 10.
  return {
    hash: oneOf('passwords.hash', passwords.hash ?? 'argon2id', ['argon2id', 'bcrypt'], fault),
    minLength: whole(
      'minLength',
      passwords.minLength ?? DEFAULT_MIN_PASSWORD_CODE_POINTS,
      DEFAULT_MIN_PASSWORD_CODE_POINTS,
      MAX_PASSWORD_CODE_POINTS / 4,
    ),
    peppers: checkPeppers(passwords.pepper, fault),
    memoryKiB: whole('memoryKiB', passwords.memoryKiB ?? 19_456, production ? 19_456 : 8, HASH_LIMITS.memoryKiB),
    passes: whole('passes', passwords.passes ?? 2, production ? 2 : 1, HASH_LIMITS.passes),
    bcryptCost: whole('bcryptCost', passwords.bcryptCost ?? 12, production ? 10 : 4, 16),
    workers: passwords.workers === undefined ? undefined : whole('workers', passwords.workers, 1, 256),
    queueLimit: whole('queueLimit', passwords.queueLimit ?? 256, 1, 100_000),
  }
}

function checkPeppers(pepper: PasswordOptions['pepper'], fault: Fault): readonly string[] {
  const peppers = asList(pepper)
  if (peppers.some((one) => Buffer.byteLength(one) < 16)) fault('passwords.pepper must have 16 bytes or more')
  return peppers
}

function checkOrigins(origins: readonly string[], fault: Fault): readonly string[] {
  for (const origin of origins) {
    // The URL parser takes `*` for a letter of a host name; nobody who writes it means one.
    const exact = /^https?:\/\/[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin
    if (!exact) fault(`trustedOrigins must be exact origins like 'https://app.example.org', got '${origin}'`)
  }
  return origins
}

function checkHooks(hooks: Hooks, fault: Fault): Hooks {
  refuseUnknown('hooks.', hooks, ['beforeRegister', 'beforeSignIn'], fault)
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook !== undefined && typeof hook !== 'function') fault(`hooks.${name} must be a function`)
  }
  return hooks
}

function oneOf<Choice extends string>(name: string, value: Choice, choices: readonly Choice[], fault: Fault): Choice {
  if (!choices.includes(value)) fault(`${name} must be one of ${choices.join(', ')}, got '${String(value)}'`)
  return value
}

const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
}
