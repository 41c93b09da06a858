// What every use case is given: the storage, the hasher, the clock, the settings. No Express, no request.
import type { Clock } from '../domain/clock.ts'
import type { Events } from '../domain/events.ts'
import type { Hooks } from '../domain/hooks.ts'
import type { Logger } from '../domain/logger.ts'
import type { SessionLimits } from '../domain/session-lifetime.ts'
import type { Locale } from '../i18n/translate.ts'
import type { PasswordHasher } from '../passwords/hasher.ts'
import type { NewLogin } from '../session/row.ts'
import type { Settings } from '../settings/options.ts'
import type { Database, LiveSession } from '../storage/contract.ts'
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

/** Who asks, and the session they ask with. Made by the http room from a request, by the command line from a terminal. */
export interface Caller {
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  /** What the visitor chose in this browser, if anything. */
  readonly language: Locale | undefined
  readonly session: LiveSession | undefined
  /** Ends the session at hand and starts one with a new id; its cookie goes out with the answer. */
  startSession(login: NewSession): Promise<LiveSession>
  /** Deletes the session at hand and clears the cookie, as often as asked. */
  endSession(): Promise<void>
}

export interface NewSession extends NewLogin {
  readonly limits: SessionLimits
  readonly persistent: boolean
  /** The keys of `req.session` that survive. */
  readonly keep: readonly string[]
  /** Whether the session at hand must still be there: the renewal of a login, not a new one. Throws `SessionEnded` where it is not. */
  readonly continues: boolean
}
