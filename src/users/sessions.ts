// A person sees where they are logged in and what happened lately, and ends one session or all the others.
import { audit } from '../core/audit.ts'
import type { Caller, Core } from '../core/core.ts'
import { requireSession } from '../core/require-session.ts'
import { MembershipError } from '../domain/errors.ts'
import { isExpired } from '../domain/session-lifetime.ts'
import type { SessionRow } from '../session/store.ts'
import { recentAuditEntries } from '../storage/audit.ts'
import type { StoredUser } from '../storage/contract.ts'
import { findPassword } from '../storage/users.ts'

export interface ListedSession {
  /** Names the session here; not usable as a cookie. */
  readonly id: string
  readonly current: boolean
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly remembered: boolean
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/** Where the caller is logged in, the last seen first. */
export async function listSessions(core: Core, caller: Caller): Promise<readonly ListedSession[]> {
  const { session, user } = requireSession(caller)
  return sessionsOf(core, user, session.hash)
}

const RECENT_ENTRIES = 20

/** What the security page tells: where the person is logged in, how old the password is, and what happened lately. */
export async function securityOverview(core: Core, caller: Caller) {
  const { user } = requireSession(caller)
  const sessions = await listSessions(core, caller)
  const password = await core.db.first(findPassword, { userId: user.id })
  const entries = await core.db.all(recentAuditEntries, { userId: user.id, limit: RECENT_ENTRIES })
  return { sessions, passwordChangedAt: password?.changedAt ?? user.createdAt, entries }
}

/** Ends one of the caller's own sessions; somebody else's is as unknown as one that never was. */
export async function endSession(core: Core, input: { readonly id: string }, caller: Caller): Promise<{ readonly own: boolean }> {
  const { session, user } = requireSession(caller)
  const own = session.publicId === input.id
  await endSessionOf(core, user, input.id, caller)
  if (own) await caller.endSession()
  return { own }
}

export async function endOtherSessions(core: Core, _input: object, caller: Caller): Promise<void> {
  const { session, user } = requireSession(caller)
  await core.db.sessions.deleteByUser(user.id, { except: session.hash })
  await audit(core, 'other_sessions_ended', 'success', user.id, caller)
}

/** The live sessions of a user, the last seen first. */
export async function sessionsOf(core: Core, user: StoredUser, currentHash?: string): Promise<readonly ListedSession[]> {
  const rows = await liveRowsOf(core, user)
  return rows.map((row) => ({
    id: row.publicId,
    current: row.hash === currentHash,
    createdAt: row.createdAt,
    lastSeenAt: row.lastSeenAt,
    expiresAt: row.expiresAt,
    remembered: row.persistent,
    ip: row.ip,
    userAgent: row.userAgent,
  }))
}

/** Ends one session of a user; throws `not_found` for an id that is none of theirs, and where somebody else ended it first: it ends once. */
export async function endSessionOf(
  core: Core,
  user: StoredUser,
  id: string,
  by: Pick<Caller, 'ip' | 'userAgent'>,
): Promise<void> {
  const row = (await liveRowsOf(core, user)).find(({ publicId }) => publicId === id)
  if (!row || !(await core.db.sessions.delete(row.hash))) throw new MembershipError('not_found')
  await audit(core, 'session_ended', 'success', user.id, by)
}

async function liveRowsOf(core: Core, user: StoredUser): Promise<readonly SessionRow[]> {
  const now = core.clock.now()
  const rows = await core.db.sessions.listByUser(user.id)
  return rows.filter((row) => !isExpired(row, now) && row.credentialEpoch === user.credentialEpoch)
}
