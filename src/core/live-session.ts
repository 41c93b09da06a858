// Which sessions are alive, and what they may do: the only place that judges them.
import { type Clock, MAX_CLOCK_SKEW_MS } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import { isExpired } from '../domain/session-lifetime.ts'
import type { SessionRow } from '../session/store.ts'
import type { SessionWithUser, StoredUser } from '../storage/contract.ts'
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'

/** Whether a stored session still counts: its time, its user's status, and the epoch of the credentials it was made with. */
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

/** The session and the user of somebody who is logged in; anybody else is refused. */
export function requireSession({ session }: Pick<Caller, 'session'>): {
  readonly session: SessionWithUser
  readonly user: StoredUser
} {
  if (!session?.user) throw new MembershipError('login_required')
  return { session, user: session.user }
}

export interface Requirement {
  readonly role?: string | undefined
  /** How recent the login must be. */
  readonly withinMs?: number | undefined
}

/** What a guard refuses a session for, or undefined. Looks only at what `signIn` wrote and at the user as stored now. */
export function unmetRequirement(
  session: SessionWithUser | undefined,
  { role, withinMs }: Requirement,
  clock: Clock,
): 'login_required' | 'forbidden' | 'recent_login_required' | undefined {
  if (!session?.user) return 'login_required'
  if (role !== undefined && !session.user.roles.includes(role)) return 'forbidden'
  if (withinMs === undefined) return undefined
  const age = clock.now() - (session.authenticatedAt ?? 0)
  // A login of the future is none of the last minutes: a clock that was ahead wrote it.
  return age <= withinMs && age >= -MAX_CLOCK_SKEW_MS ? undefined : 'recent_login_required'
}
