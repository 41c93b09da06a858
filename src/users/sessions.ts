// Lists a user's sessions, and ends one, the others or all.
import { audit, auditEvent } from '../core/audit.ts'
import type { Caller, Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { liveSessionsOf, requireSession } from '../core/live-session.ts'
import { MembershipError } from '../domain/errors.ts'
import type { StoredUser } from '../storage/contract.ts'

export const sessionEndedEvent = auditEvent('session_ended', { folds: true })
export const otherSessionsEndedEvent = auditEvent('other_sessions_ended', { folds: true })

export interface UserSession {
  /** Identifies the session; not usable as a cookie. */
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly remembered: boolean
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

export interface OwnSession extends UserSession {
  /** Whether it is the session of this request. */
  readonly current: boolean
}

/** The live sessions of a user, the last seen first. */
export async function listSessions(core: Core, user: StoredUser): Promise<readonly UserSession[]> {
  const rows = await liveSessionsOf(core, user)
  return rows.map(({ publicId, createdAt, lastSeenAt, expiresAt, persistent, ip, userAgent }) => ({
    id: publicId,
    createdAt: new Date(createdAt),
    lastSeenAt: new Date(lastSeenAt),
    expiresAt: new Date(expiresAt),
    remembered: persistent,
    ip,
    userAgent,
  }))
}

/** The caller's sessions, the last seen first. */
export async function listOwnSessions(core: Core, caller: Caller): Promise<readonly OwnSession[]> {
  const { session, user } = requireSession(caller)
  const sessions = await listSessions(core, user)
  return sessions.map((listed) => ({ ...listed, current: listed.id === session.publicId }))
}

/** Throws `not_found` if the id is none of the user's, or if another request ended the session first. */
export async function endSession(core: Core, user: StoredUser, id: string, by: Origin): Promise<void> {
  const row = (await liveSessionsOf(core, user)).find(({ publicId }) => publicId === id)
  if (!row || (await core.db.sessions.delete([row.hash])).length === 0) throw new MembershipError('not_found')
  await audit(core, sessionEndedEvent, user.id, by, 'success', { endedUserAgent: row.userAgent })
}

/** Ends one of the caller's sessions; returns whether it was the current one. Another user's id is `not_found` like an unknown one. */
export async function endOwnSession(core: Core, { id }: { readonly id: string }, caller: Caller): Promise<boolean> {
  const { session, user } = requireSession(caller)
  await endSession(core, user, id, caller)
  const isCurrent = session.publicId === id
  if (isCurrent) await caller.endSession()
  return isCurrent
}

export async function endOtherSessions(core: Core, _input: object, caller: Caller): Promise<void> {
  const { session, user } = requireSession(caller)
  // The entry comes first: no session ends without one.
  await audit(core, otherSessionsEndedEvent, user.id, caller)
  await core.db.sessions.deleteByUser(user.id, { except: session.hash })
}

/** Returns how many ended. */
export async function endAllSessions(core: Core, user: StoredUser, by: Origin): Promise<number> {
  await audit(core, sessionEndedEvent, user.id, by)
  return core.db.sessions.deleteByUser(user.id)
}
