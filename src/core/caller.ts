// Where an act comes from, and who asks with which session.
import type { SessionLimits } from '../domain/session-lifetime.ts'
import type { Locale } from '../i18n/translate.ts'
import type { Priority } from '../passwords/pool.ts'
import type { NewLogin } from '../session/row.ts'
import type { SessionWithUser } from '../storage/contract.ts'
import type { Limit } from './throttle.ts'

/** Where an act comes from: data alone. */
export interface Origin {
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  /** What the visitor chose in this browser, if anything. */
  readonly locale: Locale | undefined
  /** Names the request in the log and on the visitor's error page. */
  readonly requestId: string | undefined
  /** Who acts, if not the person whom the act is about. */
  readonly actor: { readonly kind: 'operator' } | undefined
}

/** The host application itself, or the operator at the command line: without address or browser. */
export const OPERATOR: Origin = {
  ip: undefined,
  userAgent: undefined,
  locale: undefined,
  requestId: undefined,
  actor: { kind: 'operator' },
}

export interface Caller extends Origin {
  readonly session: SessionWithUser | undefined
  /** Refuses a write that another site sent, with cookies or without: its author, not the visitor, chose whom it logs in. Throws `cross_site_request`. */
  refuseCrossSite(): void
  /** Ends the session at hand and starts one with a new id; its cookie goes out with the answer. */
  startSession(login: NewSession): Promise<SessionWithUser>
  /** Deletes the session at hand and clears the cookie, as often as asked. */
  endSession(): Promise<void>
  /** Takes a place where the subject is known after a look-up only; joins those of the route. Throws `too_many_requests` or `overloaded`. */
  count(limit: Limit, subject: string): Promise<void>
  /** When a password of this person is hashed, if others wait too. */
  readonly priority: Priority
}

export interface NewSession extends NewLogin {
  readonly limits: SessionLimits
  readonly persistent: boolean
  /** The keys of `req.session` that survive. */
  readonly keep: readonly string[] | 'all'
  /** Whether it renews the session at hand, which must still be there; else throws `SessionEndedError`. */
  readonly continues: boolean
}
