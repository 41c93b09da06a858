// The settings of a membership, one row each: variable, kind, default, rule for production.

import { type Clock, systemClock } from '../domain/clock.ts'
import type { Logger } from '../domain/logger.ts'
import { isMailAddress } from '../domain/mail-address.ts'
import { DEFAULT_MIN_PASSWORD_CODE_POINTS, MAX_PASSWORD_CODE_POINTS } from '../domain/password-policy.ts'
import { SECRET_BYTES } from '../domain/secret.ts'
import { LOCALES } from '../i18n/translate.ts'
import type { Mailer } from '../mail/mail.ts'
import { readSmtpUrl, SMTP_URL_RULE } from '../mail/smtp-url.ts'
import { HASH_LIMITS } from '../passwords/format.ts'
import { DEFAULT_QUEUE_LIMIT } from '../passwords/hasher.ts'
import { consoleLogger, having, isDatabase, isExactOrigin, isHooks, isHttpOrigin, isRedis } from './accepts.ts'
import type { OptionsByPath } from './options.ts'
import { asList, choice, duration, kind, list, onOff, type Table, text, whole } from './schema.ts'

const PEPPER_BYTES = 16
/** OWASP Password Storage: argon2id with 19 MiB and two passes, bcrypt with a cost of at least 10. */
const OWASP = { memoryKiB: 19_456, passes: 2, bcryptCost: 10 } as const

export const LOCAL_PATH = /^(?:\/[A-Za-z0-9_-]+)+$/

export const SETTINGS = {
  baseUrl: {
    env: 'BASE_URL',
    kind: text("must be an origin like 'https://example.org': scheme, host and port alone, no path, query or user", isHttpOrigin),
    isRequired: true,
    about:
      'Scheme, host and port that people use. Required in production, and https: there. Default: http://localhost and the port.',
    example: 'https://example.org',
    question: 'Where do people reach the site?',
  },
  database: {
    env: 'DATABASE_URL',
    kind: kind(
      "must be 'sqlite:PATH' (a path, no URI), 'sqlite::memory:', 'postgres://...' (a % in its password is written %25) or an open Pool of the pg package",
      isDatabase,
    ),
    isRequired: true,
    isSecret: true,
    production: {
      rule: 'must name a file in production: sqlite::memory: forgets everybody at the next start',
      refuses: (database) => database === 'sqlite::memory:',
    },
    about:
      'One SQLite file: sqlite: and its path, created if it is missing. Or postgres://user:password@host/database, with the package pg installed.',
    example: 'sqlite:./data/guildhall.db',
    question: 'Where is the database?',
  },
  redis: {
    env: 'REDIS_URL',
    kind: kind(
      "must be 'redis://HOST:PORT/NUMBER', 'rediss://...' (a % in its password is written %25) or an open client of the redis package",
      isRedis,
    ),
    isSecret: true,
    about:
      'Keeps sessions and counters in Redis instead of the database: redis://HOST:PORT, or rediss:// for TLS. Default: none. While Redis is away, people with a session get 503; it needs the package redis.',
  },
  redisPrefix: {
    kind: text('must have 1 to 64 letters, digits or any of :._-', (prefix) => /^[\w:.-]{1,64}$/.test(prefix)),
    default: 'guildhall:',
  },
  path: {
    kind: text("must look like '/members', without a slash at the end", (path) => path === '' || LOCAL_PATH.test(path)),
    default: '',
  },
  secret: {
    env: 'SECRET',
    kind: list(
      `must have ${SECRET_BYTES} bytes or more, each part of a list too; make one with: openssl rand -base64 33`,
      hasBytes(SECRET_BYTES),
    ),
    isSecret: true,
    production: {
      rule: `is required in production: ${SECRET_BYTES} bytes or more, the same at every start; make one with: openssl rand -base64 33`,
      refuses: (secret) => asList(secret).length === 0,
    },
    about:
      '32 bytes or more, required in production; openssl rand -base64 33 makes one. Another secret resets every throttle; passwords and sessions do not depend on it. In development one is made beside the database file, else in ./data.',
  },
  siteName: {
    env: 'SITE_NAME',
    kind: text('must have 1 to 64 characters', (name) => name.trim() !== '' && name.length <= 64),
    default: 'Guildhall',
    question: 'What is the site called?',
  },
  styleSheet: { kind: text('must be a text of CSS', () => true), default: '' },
  production: { kind: onOff },
  insecureHttp: {
    env: 'INSECURE_HTTP',
    kind: onOff,
    default: false,
    about: 'Allows http: in production. Anybody on the network path can then read passwords and cookies.',
  },
  registration: {
    env: 'REGISTRATION',
    kind: choice(['open', 'closed']),
    default: 'open',
    question: 'Who may register: open or closed?',
  },
  email: {
    env: 'EMAIL',
    kind: choice(['optional', 'required', 'off']),
    about:
      'Whether people have a mail address: optional, required or off. Default: optional if SMTP_URL is set, and in development; else off. required does not start in production without SMTP_URL; in this version it is like optional otherwise: nobody has to prove an address to log in.',
    example: 'optional',
  },
  rateLimit: {
    env: 'RATE_LIMIT',
    kind: onOff,
    default: true,
    production: {
      rule: 'must be on in production: without it passwords can be guessed without end',
      refuses: (rateLimit) => rateLimit === false,
    },
  },
  registrationsPerHour: {
    env: 'REGISTRATIONS_PER_HOUR',
    kind: whole(1, 100_000),
    default: 30,
    about:
      'The most users who may register from one network in an hour; more for a school or an event. Ten times as many tries may fail.',
  },
  trustedOrigins: {
    env: 'TRUSTED_ORIGINS',
    kind: list("must be exact origins like 'https://app.example.org'; no wildcard, no path", isExactOrigin),
    about: 'Other origins whose pages may write here, exact, separated by commas. Default: none.',
    example: 'https://app.example.org',
  },
  strictOrigin: { env: 'STRICT_ORIGIN', kind: onOff, default: false },
  locale: { env: 'LOCALE', kind: choice(LOCALES), default: 'en' },
  hooks: {
    kind: kind('must have functions only, beforeRegister and beforeSignIn', isHooks),
  },
  logger: {
    kind: having<Logger>('must have the functions debug, info, warn and error', ['debug', 'info', 'warn', 'error']),
    default: consoleLogger(),
  },
  clock: { kind: having<Clock>('must have a function now', ['now']), default: systemClock },
  'session.idleTimeout': { env: 'SESSION_IDLE_TIMEOUT', kind: duration(), default: '15m' },
  'session.absoluteTimeout': { env: 'SESSION_ABSOLUTE_TIMEOUT', kind: duration(), default: '12h' },
  'session.rememberIdleTimeout': { env: 'REMEMBER_IDLE_TIMEOUT', kind: duration(), default: '14d' },
  'session.rememberAbsoluteTimeout': {
    env: 'REMEMBER_ABSOLUTE_TIMEOUT',
    // RFC 6265bis: browsers keep no cookie for more than 400 days.
    kind: duration({ max: '400d' }),
    default: '30d',
  },
  'session.keepAtLogin': { kind: list('must be a list of names', () => true), default: [] },
  'cookie.name': {
    env: 'COOKIE_NAME',
    kind: text(
      'must have 1 to 64 letters, digits, - or _, without __Host- or __Secure-, which come by themselves with https',
      (name) => /^[A-Za-z0-9_-]{1,64}$/.test(name) && !/^__(?:host|secure)-/i.test(name),
    ),
    default: 'guildhall',
  },
  'cookie.sameSite': { env: 'COOKIE_SAME_SITE', kind: choice(['strict', 'lax']), default: 'strict' },
  'passwords.hash': { env: 'PASSWORD_HASH', kind: choice(['argon2id', 'bcrypt']), default: 'argon2id' },
  'passwords.minLength': {
    env: 'PASSWORD_MIN_LENGTH',
    kind: whole(DEFAULT_MIN_PASSWORD_CODE_POINTS, MAX_PASSWORD_CODE_POINTS / 4),
    default: DEFAULT_MIN_PASSWORD_CODE_POINTS,
  },
  'passwords.pepper': {
    env: 'PASSWORD_PEPPER',
    kind: list(`must have ${PEPPER_BYTES} bytes or more, each part of a list too`, hasBytes(PEPPER_BYTES)),
    isSecret: true,
    about: 'A secret outside the database that every hash depends on: losing it locks everybody out. A comma list rotates.',
  },
  'passwords.memoryKiB': {
    env: 'HASH_MEMORY_KIB',
    kind: whole(8, HASH_LIMITS.memoryKiB),
    default: OWASP.memoryKiB,
    production: atLeast(OWASP.memoryKiB),
  },
  'passwords.passes': {
    env: 'HASH_PASSES',
    kind: whole(1, HASH_LIMITS.passes),
    default: OWASP.passes,
    production: atLeast(OWASP.passes),
  },
  'passwords.bcryptCost': { kind: whole(4, 16), default: 12, production: atLeast(OWASP.bcryptCost) },
  'passwords.workers': {
    env: 'HASH_WORKERS',
    kind: whole(1, 256),
    about: 'The most hashes that run at the same time; WORKERS share the number. Default: the number of processors.',
    example: '2',
  },
  'passwords.queueLimit': {
    env: 'HASH_QUEUE',
    kind: whole(1, 100_000),
    default: DEFAULT_QUEUE_LIMIT,
    about: 'The most hashes that may wait before the answer is 503; WORKERS share the number.',
  },
  'mail.url': {
    env: 'SMTP_URL',
    kind: text(SMTP_URL_RULE, (url) => readSmtpUrl(url) !== undefined),
    isSecret: true,
    about:
      'The mail server: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465, user and password percent-encoded: @ is %40, / is %2F. Default: none. In development mails are then printed; in production none are sent, and a forgotten password cannot be reset.',
    example: 'smtps://user:password@mail.example.org:465',
  },
  'mail.from': {
    env: 'MAIL_FROM',
    kind: text("must be one mail address like 'noreply@example.org', without a name, which is that of the site", isMailAddress),
    about:
      "The sender's address, required with SMTP_URL; the sender's name is SITE_NAME. The domain's SPF and DMARC must allow the server to send for it.",
    example: 'noreply@example.org',
  },
  'mail.mailer': { kind: having<Mailer>('must have a function send', ['send']) },
} as const satisfies Table<OptionsByPath>

function hasBytes(min: number): (text: string) => boolean {
  return (item) => Buffer.byteLength(item) >= min
}

function atLeast(min: number): { readonly rule: string; refuses(value: number | undefined): boolean } {
  return { rule: `must be at least ${min} in production`, refuses: (value) => value !== undefined && value < min }
}
