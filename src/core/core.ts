// What every use case is given: storage, hasher, clock, settings. No Express, no request.
import type { Clock } from '../domain/clock.ts'
import type { Events } from '../domain/events.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import type { PasswordHasher } from '../passwords/hasher.ts'
import type { Settings } from '../settings/options.ts'
import type { Database } from '../storage/contract.ts'
import type { Throttle } from './throttle.ts'

export interface Core {
  readonly clock: Clock
  readonly db: Database
  readonly passwords: PasswordHasher
  readonly throttle: Throttle
  readonly events: Events
  readonly hooks: Hooks
  readonly log: Logger
  readonly settings: Settings
}
