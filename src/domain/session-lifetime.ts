// When a session ends. Pure functions: the time is passed in.

export interface SessionLimits {
  /** Milliseconds without a request after which a session ends. */
  readonly idleMs: number
  /** Milliseconds after its start at which a session ends even if it is used. */
  readonly absoluteMs: number
}

const DAY_MS = 86_400_000
const MAX_TOUCH_INTERVAL_MS = 60_000

/** The least time between two touches of a session: at most one write per interval. */
export function touchIntervalMs(idleMs: number): number {
  return Math.min(MAX_TOUCH_INTERVAL_MS, Math.floor(idleMs / 15))
}

/**
 * When a session last seen at `seenAt` ends. One touch interval is added, as that is how much a touch may lag; never after the absolute
 * end.
 */
export function expiryAfter(seenAt: number, session: { readonly idleMs: number; readonly endsAt: number }): number {
  return Math.min(seenAt + session.idleMs + touchIntervalMs(session.idleMs), session.endsAt)
}

interface Lifetime {
  readonly createdAt: number
  readonly expiresAt: number
  readonly endsAt: number
}

/**
 * Whether a session is over. So is one that would still last longer than its whole lifetime: a clock that was ahead made it. A day is
 * tolerated, so that a clock that is set back an hour logs nobody out.
 */
export function isExpired({ createdAt, expiresAt, endsAt }: Lifetime, now: number): boolean {
  return now >= expiresAt || expiresAt - now > endsAt - createdAt + DAY_MS
}

export function needsTouch(session: { readonly lastSeenAt: number; readonly idleMs: number }, now: number): boolean {
  return now - session.lastSeenAt >= touchIntervalMs(session.idleMs)
}
