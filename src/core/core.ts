// What every use case needs: storage, hasher, clock, settings. No Express, no request.
import type { Clock } from '../domain/clock.ts'
import { Events } from '../domain/events.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import { printable } from '../domain/printable.ts'
import type { Mailer } from '../mail/mail.ts'
import { createHasher, type PasswordHasher } from '../passwords/hasher.ts'
import { MAX_QUEUE_MS } from '../passwords/pool.ts'
import type { Settings } from '../settings/options.ts'
import type { Database } from '../storage/contract.ts'
import { openDatabase } from '../storage/open.ts'
import { secretsOf } from './development-secret.ts'
import { type Key, keysFor } from './keys.ts'
import { createMailer } from './mailer.ts'
import { OutboxBell } from './outbox-bell.ts'
import { OverloadGuard } from './overload.ts'
import { createThrottle, type Throttle, unlimited } from './throttle.ts'

export interface Core {
  readonly clock: Clock
  readonly db: Database
  readonly passwords: PasswordHasher
  readonly throttle: Throttle
  readonly overload: OverloadGuard
  readonly events: Events
  readonly hooks: Hooks
  readonly log: Logger
  /** Undefined if mail is not set up. */
  readonly mailer: Mailer | undefined
  /** Wakes the worker. */
  readonly outbox: OutboxBell
  /** The links and codes of mails are derived with them. The first is for new ones. */
  readonly mailKeys: readonly [Key, ...Key[]]
  readonly settings: Settings
}

/** Opens the database, but changes nothing in it. */
export function createCore(settings: Settings): Core {
  const { clock, passwords, logger } = settings
  const secrets = secretsOf(settings)
  const [throttleKey] = keysFor('throttle', secrets)
  const hasher = createHasher({
    algorithm: passwords.hash,
    argon2: { memoryKiB: passwords.memoryKiB, passes: passwords.passes },
    bcryptCost: passwords.bcryptCost,
    peppers: passwords.peppers,
    ...(passwords.workers !== undefined && { workers: passwords.workers }),
    queueLimit: passwords.queueLimit,
  })
  // The limits of the hash queue apply here too.
  const waits = { maxWaiting: passwords.queueLimit, maxWaitMs: MAX_QUEUE_MS }
  // Opened last: other errors are thrown before a file is created.
  const db = openDatabase(settings.database, { redis: settings.redis, log: logger, production: settings.production })
  const throttle = settings.rateLimit ? createThrottle(db.counters, clock, throttleKey.bytes, waits) : unlimited
  return {
    clock,
    db,
    passwords: hasher,
    throttle,
    overload: new OverloadGuard({ clock, passwords: hasher, throttle }),
    events: new Events((error, event) => logger.error({ err: error, event }, 'a listener of an event failed')),
    hooks: settings.hooks,
    log: logger,
    mailer: settings.mail && createMailer(settings.mail, (text) => console.log(printable(text))),
    outbox: new OutboxBell(),
    mailKeys: keysFor('mail', secrets),
    settings,
  }
}
