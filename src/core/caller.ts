// The origin of an act, and the caller: an origin with its session.
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
  /** The language that was chosen in this browser, if any. */
  readonly locale: Locale | undefined
  /** The language in which this person reads pages, if there is a request. */
  readonly language: Locale | undefined
  /** Names the request in the log and on the visitor's error page. */
  readonly requestId: string | undefined
  /** Who acts, if not the user concerned. */
  readonly actor: { readonly kind: 'operator' } | undefined
}

/** The host application, or the operator at the command line: without address and browser. */
export const OPERATOR: Origin = {
  ip: undefined,
  userAgent: undefined,
  locale: undefined,
  language: undefined,
  requestId: undefined,
  actor: { kind: 'operator' },
}

export interface Caller extends Origin {
  readonly session: SessionWithUser | undefined
  /**
   * Throws `cross_site_request` for a write from another site, with or without cookies: that site would choose whom the visitor is logged
   * in as.
   */
  refuseCrossSite(): void
  /** Ends the current session and starts one with a new id; its cookie goes out with the response. */
  startSession(login: NewLoginSession): Promise<SessionWithUser>
  /** Deletes the current session and clears the cookie; may be called again. */
  endSession(): Promise<void>
  /** The hash of the flow cookie; undefined if this browser has none. */
  readonly flowHash: string | undefined
  /** Gives this browser a flow cookie, or lets the one it has live on, and returns its hash. */
  keepFlowCookie(): string
  /** Clears the flow cookie. */
  dropFlowCookie(): void
  /**
   * Counts a try whose subject is only known after a look-up, together with those of the route. Throws `too_many_requests` or `overloaded`.
   */
  count(limit: Limit, subject: string): Promise<void>
  /** The priority of this caller's password in the hash queue. */
  readonly priority: Priority
}

export interface NewLoginSession extends NewLogin {
  readonly limits: SessionLimits
  readonly persistent: boolean
  /** The keys of `req.session` that are kept. */
  readonly keep: readonly string[] | 'all'
  /** Whether it renews the current session: if that has ended, `SessionEndedError` is thrown. */
  readonly continues: boolean
}
