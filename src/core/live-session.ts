// The only functions that decide whether a session is live, and what it may do.
import { type Clock, MAX_CLOCK_SKEW_MS } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import { isExpired } from '../domain/session-lifetime.ts'
import type { SessionRow } from '../session/store.ts'
import type { SessionWithUser, StoredUser } from '../storage/contract.ts'
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'

/** Whether a stored session is valid: by its times, its user's status, and the epoch of the credentials. */
export function isLive(session: SessionWithUser, now: number): boolean {
  if (isExpired(session, now)) return false
  if (session.userId === undefined) return true
  return session.user?.status === 'active' && session.user.credentialEpoch === session.credentialEpoch
}

/** The live sessions of a user, the last seen first. */
export async function liveSessionsOf(core: Core, user: StoredUser): Promise<readonly SessionRow[]> {
  const now = core.clock.now()
  const rows = await core.db.sessions.listByUser(user.id)
  return rows.filter((row) => isLive({ ...row, user }, now))
}

/** The caller's session and user. Throws `login_required` if nobody is logged in. */
export function requireSession({ session }: Pick<Caller, 'session'>): {
  readonly session: SessionWithUser
  readonly user: StoredUser
} {
  if (!session?.user) throw new MembershipError('login_required')
  return { session, user: session.user }
}

export interface Requirement {
  readonly role?: string | undefined
  /** The greatest age of the login. */
  readonly withinMs?: number | undefined
}

/** Why a guard refuses a session; undefined if it does not. Uses only what `signIn` wrote, and the user as stored now. */
export function unmetRequirement(
  session: SessionWithUser | undefined,
  { role, withinMs }: Requirement,
  clock: Clock,
): 'login_required' | 'forbidden' | 'recent_login_required' | undefined {
  if (!session?.user) return 'login_required'
  if (role !== undefined && !session.user.roles.includes(role)) return 'forbidden'
  if (withinMs === undefined) return undefined
  const age = clock.now() - (session.authenticatedAt ?? 0)
  // A login in the future was written by a clock that was ahead: it does not count as recent.
  return age <= withinMs && age >= -MAX_CLOCK_SKEW_MS ? undefined : 'recent_login_required'
}
