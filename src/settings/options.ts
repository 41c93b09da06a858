// Every option of a membership: its meaning, its default and what follows.

import type { PostgresPool } from '../database/postgres/query.ts'
import type { RedisClient } from '../database/redis/script.ts'
import type { Clock } from '../domain/clock.ts'
import type { Duration } from '../domain/duration.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import type { Locale } from '../i18n/translate.ts'
import type { Mailbox, Mailer } from '../mail/mail.ts'
import type { SmtpServer } from '../mail/smtp-url.ts'
import type { RedisPlace } from '../storage/redis/database.ts'

export interface MembershipOptions {
  /** Where people reach the site, `'https://example.org'`: scheme, host, port. Required. Its scheme decides the cookie's name and `Secure`, once. */
  readonly baseUrl: string
  /** `'sqlite:PATH'`, `'sqlite::memory:'`, `'postgres://...'` or an open pool of the pg package. Required. A missing file is made, readable by its owner only; PostgreSQL needs pg installed beside us. */
  readonly database: string | PostgresPool
  /** Where sessions and counters live instead of in the database: `'redis://...'`, `'rediss://...'`, or an open client of the redis package, for one server, Sentinel or a cluster. Default: none. While Redis is away, who is logged in is answered with 503; it needs redis installed beside us. */
  readonly redis?: string | RedisClient
  /** What every key in Redis begins with. Default: `'guildhall:'`. Sites that share one Redis need one each. */
  readonly redisPrefix?: string
  /** Where the membership's paths begin, `'/members'`. Default: `''`, the root. */
  readonly path?: string
  /** 32 bytes or more. What throttles count by is derived from it: with another one every count begins anew; passwords and sessions do not depend on it. Required in production. Default: elsewhere made once and kept in the file `secret` beside the SQLite file; without such a file, a new one at each start. */
  readonly secret?: string | readonly string[]
  /** The name in the wordmark and in titles. Default: `'Guildhall'`. Passwords may not lean on it. */
  readonly siteName?: string
  /** CSS of your own for our pages: `':root { --hue: 265; --radius: 4px }'`. Default: none. It stands behind ours and wins; what it loads must come from this site. */
  readonly styleSheet?: string
  /** Whether unsafe settings are refused. Default: whether `baseUrl` names another host than this machine itself. */
  readonly production?: boolean
  /** Allows a `baseUrl` without TLS in production. Default: false. Consequence: anybody on the way reads cookies and passwords. */
  readonly insecureHttp?: boolean
  readonly session?: SessionTimes
  readonly cookie?: SessionCookieOptions
  readonly passwords?: PasswordOptions
  readonly mail?: MailOptions
  /** Whether people have a mail address. Default: `'optional'` where `mail` is set and in development, else `'off'`. `'required'` does not start in production without `mail`. No feature asks for an address in this version yet. */
  readonly email?: 'optional' | 'required' | 'off'
  /** Who may register. Default: `'open'`. Closed: accounts are made at the command line. */
  readonly registration?: 'open' | 'closed'
  /** Whether tries are limited. Default: true. Production does not start without. */
  readonly rateLimit?: boolean
  /** Accounts that may be made from one address in an hour. Default: 30. Ten times as many tries may fail. */
  readonly registrationsPerHour?: number
  /** Other origins whose writes are welcome, exact: `['https://app.example.org']`. Default: none. */
  readonly trustedOrigins?: readonly string[]
  /** Whether writes without `Sec-Fetch-Site` and `Origin` are refused. Default: false. */
  readonly strictOrigin?: boolean
  /** The language where the visitor's is none of ours. Default: `'en'`. */
  readonly locale?: Locale
  /**
   * Leaves features out or moves their pages: `{ registration: false, profile: { page: '/me' } }`. Default: all, at the paths of the documentation.
   * What is left out is not served, and nothing links to it. `{ login: { page: { own: '/sign-in' } } }`: that page is one of your application;
   * guards and links lead to it, and its form still posts to our path.
   */
  readonly features?: FeatureChoices
  /** Where your application has a say before something happens; a hook refuses with `throw new RefusalError(code, text)`. Default: none. */
  readonly hooks?: Hooks
  /** Takes what is worth logging, as pino's loggers do. Default: warnings and errors to the console. */
  readonly logger?: Logger
  /** Where the time comes from. Default: the system's. Tests pass one they can move. */
  readonly clock?: Clock
}

export interface SessionTimes {
  /** Ends a session after this time without a request. Default: `'15m'`. */
  readonly idleTimeout?: Duration
  /** Ends a session whatever happens. Default: `'12h'`. */
  readonly absoluteTimeout?: Duration
  /** The idle timeout of people who asked to be remembered. Default: `'14d'`. */
  readonly rememberIdleTimeout?: Duration
  /** The absolute timeout of people who asked to be remembered. Default: `'30d'`. At most 400 days: browsers keep no cookie longer. */
  readonly rememberAbsoluteTimeout?: Duration
  /** Keys of an anonymous `req.session` that survive the login. Default: none. */
  readonly keepAtLogin?: readonly string[]
}

export interface SessionCookieOptions {
  /** Name of the session cookie, without its `__Host-`. Default: `'guildhall'`. */
  readonly name?: string
  /** Whether links from other sites bring the cookie along. Default: `'strict'`. `'lax'` is for hosts whose own routes need it on such a link. */
  readonly sameSite?: 'strict' | 'lax'
}

export interface PasswordOptions {
  /** How new passwords are hashed. Default: `'argon2id'`. Hashes follow the setting at the next login. */
  readonly hash?: 'argon2id' | 'bcrypt'
  /** Code points a password must have. Default: 8. 15 is what NIST asks where the password is the only factor. */
  readonly minLength?: number
  /** A secret outside the database that every hash needs; a list rotates. Default: none. Losing it locks everybody out. */
  readonly pepper?: string | readonly string[]
  /** argon2id memory in KiB. Default: 19456 (OWASP). Less is refused in production. */
  readonly memoryKiB?: number
  /** argon2id passes. Default: 2 (OWASP). Less is refused in production. */
  readonly passes?: number
  /** bcrypt cost: each step doubles the work. Default: 12. Less than 10 is refused in production. */
  readonly bcryptCost?: number
  /** Hashes that run at the same time. Default: the processors at hand. */
  readonly workers?: number
  /** Hashes that may wait; beyond it the answer is 503. Default: 256. */
  readonly queueLimit?: number
}

export interface MailOptions {
  /** The address that mails come from; the name beside it is `siteName`. Required. The domain's SPF and DMARC must allow the server to send for it. */
  readonly from: string
  /** The mail server: `'smtp://user:password@host:587'` (STARTTLS) or `'smtps://user:password@host:465'`, user and password percent-encoded. Default: none, and then there is `mailer`. Nothing is sent to it in clear text but to this machine itself without a login. */
  readonly url?: string
  /** What brings mails out in the place of SMTP: `{ send(mail) }`. Default: none. It resolves when the mail is taken. */
  readonly mailer?: Mailer
}

/** For each feature `false`, or for its paths a new one, or the page of the application that stands in the place of ours. */
export type FeatureChoices = Readonly<Record<string, false | Readonly<Record<string, PathChoice | undefined>> | undefined>>
export type PathChoice = LocalPath | { readonly own: LocalPath }
export type LocalPath = `/${string}`

/** The options that are made of options. */
interface Groups {
  readonly session: SessionTimes
  readonly cookie: SessionCookieOptions
  readonly passwords: PasswordOptions
  readonly mail: MailOptions
}

type Prefixed<Group extends keyof Groups> = {
  readonly [Name in keyof Groups[Group] & string as `${Group}.${Name}`]: Groups[Group][Name]
}

/** Every option by its place: `'siteName'`, `'passwords.minLength'`. What the composition judges itself is not among them. */
export type OptionsByPath = Omit<MembershipOptions, keyof Groups | 'features'> &
  Prefixed<'session'> &
  Prefixed<'cookie'> &
  Prefixed<'passwords'> &
  Prefixed<'mail'>

/** Options that are settings as they are. */
type AsGiven =
  | 'database'
  | 'path'
  | 'siteName'
  | 'styleSheet'
  | 'production'
  | 'registration'
  | 'registrationsPerHour'
  | 'rateLimit'
  | 'strictOrigin'
  | 'locale'
  | 'hooks'
  | 'logger'
  | 'clock'

/** The options, checked and complete. */
export interface Settings extends Required<Pick<MembershipOptions, AsGiven>> {
  readonly baseUrl: URL
  readonly redis: RedisPlace | undefined
  readonly secrets: readonly string[]
  readonly session: { readonly idleMs: number; readonly absoluteMs: number }
  readonly remember: { readonly idleMs: number; readonly absoluteMs: number }
  readonly keepAtLogin: readonly string[]
  readonly cookie: Required<SessionCookieOptions> & { readonly secure: boolean }
  readonly passwords: Required<Omit<PasswordOptions, 'pepper' | 'workers'>> & {
    readonly peppers: readonly string[]
    readonly workers: number | undefined
  }
  readonly trustedOrigins: readonly string[]
  /** How mails go out; undefined where they do not. */
  readonly mail: MailSettings | undefined
  readonly email: 'optional' | 'required' | 'off'
}

export interface MailSettings {
  readonly from: Mailbox
  /** `'console'`: development, where nothing is set. */
  readonly by: SmtpServer | Mailer | 'console'
}
