// Every option of a membership: its meaning, default and consequence.

import type { PostgresPool } from '../database/postgres/query.ts'
import type { RedisClient } from '../database/redis/script.ts'
import type { Clock } from '../domain/clock.ts'
import type { Duration } from '../domain/duration.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import type { Locale } from '../i18n/translate.ts'
import type { Mailbox, Mailer } from '../mail/mail.ts'
import type { SmtpServer } from '../mail/smtp-url.ts'
import type { RedisLocation } from '../storage/redis/database.ts'

export interface MembershipOptions {
  /**
   * The origin under which people reach the site, `'https://example.org'`: scheme, host, port. Required. Its scheme decides the cookie's
   * name and `Secure`.
   */
  readonly baseUrl: string
  /**
   * `'sqlite:PATH'`, `'sqlite::memory:'`, `'postgres://...'` or an open pool of the pg package. Required. A missing file is created,
   * readable by its owner only; PostgreSQL needs the package pg.
   */
  readonly database: string | PostgresPool
  /**
   * Keeps sessions and counters in Redis instead of the database: `'redis://...'`, `'rediss://...'`, or an open client of the redis
   * package, for one server, Sentinel or a cluster. Default: none. While Redis is away, people with a session get 503; it needs the package
   * redis.
   */
  readonly redis?: string | RedisClient
  /** The prefix of every key in Redis. Default: `'guildhall:'`. Sites that share one Redis need one each. */
  readonly redisPrefix?: string
  /** The prefix of the membership's paths, `'/members'`. Default: `''`, the root. */
  readonly path?: string
  /**
   * 32 bytes or more. The keys of the throttle are derived from it: another secret resets every count; passwords and sessions do not depend
   * on it. Required in production. Default: in development it is made once and kept in the file `secret` beside the SQLite file; without
   * such a file, a new one at each start.
   */
  readonly secret?: string | readonly string[]
  /** The name in the page header and in titles. Default: `'Guildhall'`. Passwords may not be based on it. */
  readonly siteName?: string
  /**
   * CSS of your own for our pages: `':root { --hue: 265; --radius: 4px }'`. Default: none. It follows our style sheet and overrides it;
   * what it loads must come from this site.
   */
  readonly styleSheet?: string
  /** Whether unsafe settings are refused. Default: whether `baseUrl` names another host than this machine. */
  readonly production?: boolean
  /** Allows a `baseUrl` without TLS in production. Default: false. Anybody on the network path can then read cookies and passwords. */
  readonly insecureHttp?: boolean
  readonly session?: SessionTimes
  readonly cookie?: SessionCookieOptions
  readonly passwords?: PasswordOptions
  readonly mail?: MailOptions
  /**
   * Whether people have a mail address. Default: `'optional'` if `mail` is set, and in development; else `'off'`. `'required'` does not
   * start in production without `mail`; in this version it is like `'optional'` otherwise: nobody has to prove an address to log in.
   */
  readonly email?: 'optional' | 'required' | 'off'
  /** Who may register. Default: `'open'`. `'closed'`: only the command line and `membership.users` create users. */
  readonly registration?: 'open' | 'closed'
  /** Whether tries are limited. Default: true. Required in production. */
  readonly rateLimit?: boolean
  /** The most users who may register from one network in an hour. Default: 30. Ten times as many tries may fail. */
  readonly registrationsPerHour?: number
  /** Other origins whose pages may write here, exact: `['https://app.example.org']`. Default: none. */
  readonly trustedOrigins?: readonly string[]
  /** Whether writes with neither `Sec-Fetch-Site` nor `Origin` are refused. Default: false. */
  readonly strictOrigin?: boolean
  /** The language for visitors whose own we do not have. Default: `'en'`. */
  readonly locale?: Locale
  /**
   * Leaves features out or moves their pages: `{ registration: false, profile: { page: '/me' } }`. Default: all, at the documented paths.
   * A feature that is left out is not served, and nothing links to it. `{ login: { page: { own: '/sign-in' } } }`: that page is one of your
   * application; guards and links lead to it, and its form still posts to our path.
   */
  readonly features?: FeatureChoices
  /** Functions of your application that may refuse a registration or a login, by `throw new RefusalError(code, text)`. Default: none. */
  readonly hooks?: Hooks
  /** The logger, such as one of pino. Default: warnings and errors to the console. */
  readonly logger?: Logger
  /** The source of time. Default: the system's. Tests pass one that they can move. */
  readonly clock?: Clock
}

export interface SessionTimes {
  /** Ends a session after this time without a request. Default: `'15m'`. */
  readonly idleTimeout?: Duration
  /** Ends a session this time after its start, even if it is used. Default: `'12h'`. */
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
  /** Whether links from other sites send the cookie along. Default: `'strict'`. `'lax'` is for applications whose own routes need that. */
  readonly sameSite?: 'strict' | 'lax'
}

export interface PasswordOptions {
  /** How new passwords are hashed. Default: `'argon2id'`. Existing hashes are renewed at the next login. */
  readonly hash?: 'argon2id' | 'bcrypt'
  /** The minimum length of a password, in code points. Default: 8. NIST asks for 15 if the password is the only factor. */
  readonly minLength?: number
  /** A secret outside the database that every hash depends on; a list rotates. Default: none. Losing it locks everybody out. */
  readonly pepper?: string | readonly string[]
  /** Memory of argon2id in KiB. Default: 19456 (OWASP). Less is refused in production. */
  readonly memoryKiB?: number
  /** Passes of argon2id. Default: 2 (OWASP). Less is refused in production. */
  readonly passes?: number
  /** Cost of bcrypt: each step doubles the work. Default: 12. Less than 10 is refused in production. */
  readonly bcryptCost?: number
  /** The most hashes that run at the same time. Default: the number of processors. */
  readonly workers?: number
  /** The most hashes that may wait; more are answered with 503. Default: 256. */
  readonly queueLimit?: number
}

export interface MailOptions {
  /** The sender's address; the sender's name is `siteName`. Required. The domain's SPF and DMARC must allow the server to send for it. */
  readonly from: string
  /**
   * The mail server: `'smtp://user:password@host:587'` (STARTTLS) or `'smtps://user:password@host:465'`, user and password percent-encoded.
   * Default: none; then `mailer` is required. Nothing is sent in clear text, except to this machine without a login.
   */
  readonly url?: string
  /** Sends mails in place of SMTP: `{ send(mail) }`, which resolves when the mail is accepted. Default: none. */
  readonly mailer?: Mailer
}

/** For each feature `false`, or new paths by name: one of ours, or a page of the application in its place. */
export type FeatureChoices = Readonly<Record<string, false | Readonly<Record<string, PathChoice | undefined>> | undefined>>
export type PathChoice = LocalPath | { readonly own: LocalPath }
export type LocalPath = `/${string}`

/** The options that are groups of options. */
interface Groups {
  readonly session: SessionTimes
  readonly cookie: SessionCookieOptions
  readonly passwords: PasswordOptions
  readonly mail: MailOptions
}

type Prefixed<Group extends keyof Groups> = {
  readonly [Name in keyof Groups[Group] & string as `${Group}.${Name}`]: Groups[Group][Name]
}

/** Every option by its path: `'siteName'`, `'passwords.minLength'`; without those that `membership.ts` checks. */
export type OptionsByPath = Omit<MembershipOptions, keyof Groups | 'features'> &
  Prefixed<'session'> &
  Prefixed<'cookie'> &
  Prefixed<'passwords'> &
  Prefixed<'mail'>

/** Options that become settings unchanged. */
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
  readonly redis: RedisLocation | undefined
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
  /** Undefined if mail is not set up. */
  readonly mail: MailSettings | undefined
  readonly email: 'optional' | 'required' | 'off'
}

export interface MailSettings {
  readonly from: Mailbox
  /** `'console'`: in development, if nothing is set. */
  readonly by: SmtpServer | Mailer | 'console'
}
