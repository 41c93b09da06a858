// The only way to a login. Every first factor ends here.
import { MembershipError } from '../domain/errors.ts'
import { askHook } from '../domain/hooks.ts'
import { isExpired } from '../domain/session-lifetime.ts'
import { SessionEndedError } from '../session/request/session-ended.ts'
import type { LiveSession, StoredUser } from '../storage/contract.ts'
import { audit } from './audit.ts'
import type { Caller, Core, NewSession } from './core.ts'
import { asUser } from './user.ts'

export interface Proof {
  /** What was proven, in the words of the session's `factors`. `application`: the host application vouches for the person. */
  readonly factors: 'password' | 'application'
  /** Whether the session outlives the browser. */
  readonly remember: boolean
}

/** Starts the session of a person who proved who they are. Refuses as if the proof were wrong where the account is not active. */
export async function signIn(core: Core, user: StoredUser, proof: Proof, caller: Caller): Promise<LiveSession> {
  if (user.status !== 'active') {
    await audit(core, 'login', 'suspended', user.id, caller)
    core.events.emit('login', { outcome: 'wrong_credentials', user: asUser(user), ip: caller.ip })
    throw new MembershipError('invalid_credentials')
  }
  await askBeforeSignIn(core, user, caller)
  // First the entry, then the session: there may be an entry without a session after a crash, never a session without its entry.
  await audit(core, 'login', 'success', user.id, caller)
  const session = await start(caller, {
    userId: user.id,
    credentialEpoch: user.credentialEpoch,
    factors: proof.factors,
    authenticatedAt: core.clock.now(),
    ip: caller.ip,
    userAgent: caller.userAgent,
    limits: proof.remember ? core.settings.remember : core.settings.session,
    persistent: proof.remember,
    // Anonymous data alone: what one person stored is not the next one's.
    keep: caller.session?.userId === undefined ? core.settings.keepAtLogin : [],
    continues: false,
  })
  await endOldest(core, user, session)
  core.events.emit('login', { outcome: 'success', user: asUser(user), ip: caller.ip })
  return session
}

/** Whether a stored session still counts: its time, its user's status, and the epoch of the credentials it was made with. */
export function isLive(session: LiveSession, now: number): boolean {
  if (isExpired(session, now)) return false
  if (session.userId === undefined) return true
  return session.user?.status === 'active' && session.user.credentialEpoch === session.credentialEpoch
}

/** The host application may refuse somebody whose proof was right; listeners hear of it. */
async function askBeforeSignIn(core: Core, row: StoredUser, { ip, userAgent }: Caller): Promise<void> {
  const user = asUser(row)
  try {
    await askHook(() => core.hooks.beforeSignIn?.({ user, ip, userAgent }))
  } catch (error) {
    const isRefusal = error instanceof MembershipError && error.code === 'refused'
    if (isRefusal) core.events.emit('login', { outcome: 'refused', user, ip })
    throw error
  }
}

/** A member has at most so many sessions; a new one ends those not seen for the longest time. */
const MOST_SESSIONS = 50

async function endOldest(core: Core, user: StoredUser, current: LiveSession): Promise<void> {
  try {
    const sessions = await core.db.sessions.listByUser(user.id)
    const others = sessions.filter(({ hash }) => hash !== current.hash)
    for (const { hash } of others.slice(MOST_SESSIONS - 1)) await core.db.sessions.delete(hash)
  } catch (error) {
    // The login is done; the next one tries again.
    core.log.warn({ err: error, userId: user.id }, 'the oldest sessions could not be ended')
  }
}

/** An account that was closed while its password was hashed is refused like one that was closed before. */
async function start(caller: Caller, login: NewSession): Promise<LiveSession> {
  try {
    return await caller.startSession(login)
  } catch (error) {
    throw error instanceof SessionEndedError ? new MembershipError('invalid_credentials', { cause: error }) : error
  }
}
