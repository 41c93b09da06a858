// Makes what every use case is given, from the settings. Opens the database, and changes nothing in it.
import { Events } from '../domain/events.ts'
import { createHasher } from '../passwords/hasher.ts'
import type { Settings } from '../settings/options.ts'
import { openDatabase } from '../storage/open.ts'
import type { Core } from './core.ts'
import { secretsOf } from './development-secret.ts'
import { keysFor } from './keys.ts'
import { createThrottle, unlimited } from './throttle.ts'

export function createCore(settings: Settings): Core {
  const { clock, passwords, logger } = settings
  const [throttleKey] = keysFor('throttle', secretsOf(settings))
  const hasher = createHasher({
    algorithm: passwords.hash,
    argon2: { memoryKiB: passwords.memoryKiB, passes: passwords.passes },
    bcryptCost: passwords.bcryptCost,
    peppers: passwords.peppers,
    ...(passwords.workers !== undefined && { workers: passwords.workers }),
    queueLimit: passwords.queueLimit,
  })
  // Opened last: what is wrong is told before a file is made.
  const db = openDatabase(settings.database, { redis: settings.redis, log: logger })
  return {
    clock,
    db,
    passwords: hasher,
    throttle: settings.rateLimit ? createThrottle(db.counters, clock, throttleKey.bytes) : unlimited,
    events: new Events((error, event) => logger.error({ err: error, event }, 'a listener of an event failed')),
    hooks: settings.hooks,
    log: logger,
    settings,
  }
}
