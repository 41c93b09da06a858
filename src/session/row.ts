// Makes the row of a new session.
import { newId } from '../domain/secret.ts'
import { expiryAfter, type SessionLimits } from '../domain/session-lifetime.ts'
import type { SessionRow } from './store.ts'

/** The login of a session. Written when the session is created, and never again. */
export interface NewLogin {
  readonly userId: string
  readonly credentialEpoch: number
  /** The factors that were proven, separated by spaces: `password`. */
  readonly factors: string
  readonly authenticatedAt: number
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

export const NO_LOGIN: { readonly [name in keyof NewLogin]: undefined } = {
  userId: undefined,
  credentialEpoch: undefined,
  factors: undefined,
  authenticatedAt: undefined,
  ip: undefined,
  userAgent: undefined,
}

interface NewSession {
  readonly hash: string
  readonly data: string
  readonly now: number
  readonly limits: SessionLimits
  readonly persistent: boolean
  readonly login?: NewLogin | undefined
}

export function newRow({ hash, data, now, limits, persistent, login }: NewSession): SessionRow {
  const { idleMs } = limits
  const endsAt = now + limits.absoluteMs
  return {
    hash,
    publicId: newId(),
    data,
    revision: 0,
    createdAt: now,
    lastSeenAt: now,
    idleMs,
    expiresAt: expiryAfter(now, { idleMs, endsAt }),
    endsAt,
    persistent,
    userId: login?.userId,
    credentialEpoch: login?.credentialEpoch,
    factors: login?.factors,
    authenticatedAt: login?.authenticatedAt,
    ip: login?.ip,
    userAgent: login?.userAgent,
  }
}

/** The most sessions of one user in a list, the newest first. */
export const MAX_LISTED = 100

/** Whether a bare `regenerate` replaced the session: requests that were on their way may only read it. */
export function isSuperseded(row: SessionRow): boolean {
  return row.idleMs === 0
}
