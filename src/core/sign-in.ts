// The only way to log in: every first factor ends here.
import { MembershipError } from '../domain/errors.ts'
import { askHook } from '../domain/hooks.ts'
import { toUser } from '../domain/user.ts'
import { SessionEndedError } from '../session/request/lifecycle.ts'
import type { SessionWithUser, StoredUser } from '../storage/contract.ts'
import { findUserById } from '../storage/users.ts'
import { audit, auditEvent } from './audit.ts'
import type { Caller, NewLoginSession } from './caller.ts'
import { keepReturn } from './came-back.ts'
import type { Core } from './core.ts'

export const loginEvent = auditEvent('login')

export interface Proof {
  /** The session's `factors`. `application`: the host application authenticated the person. */
  readonly factors: 'password' | 'application'
  /** Whether the session cookie is persistent. */
  readonly remember: boolean
  /** Whether another site may send the request, because a state of its own was checked. Default: false. */
  readonly crossSite?: boolean | undefined
  /** Whether it belongs to the registration: only a later login shows that the user came back. Default: false. */
  readonly isRegistration?: boolean
}

export interface SignInResult {
  readonly next: 'done'
  readonly user: StoredUser
}

/** Starts a session for a user who was authenticated. If the user is not active, it throws as for a wrong proof: `invalid_credentials`. */
export async function signIn(core: Core, user: StoredUser, proof: Proof, caller: Caller): Promise<SignInResult> {
  if (proof.crossSite !== true) caller.refuseCrossSite()
  if (user.status !== 'active') return refuse(core, user, 'suspended', caller)
  await askBeforeSignIn(core, user, caller)
  // The entry comes first: a crash may leave an entry without a session, but never a session without its entry.
  await audit(core, loginEvent, user.id, caller)
  // Only anonymous data is kept: the data of one user is not for the next.
  const keep = caller.session?.userId === undefined ? core.settings.keepAtLogin : []
  const { factors, remember: persistent } = proof
  let session: SessionWithUser
  try {
    session = await startLogin(core, user, { factors, persistent, keep, continues: false }, caller)
  } catch (error) {
    const endedMeanwhile = error instanceof MembershipError && error.code === 'invalid_credentials'
    if (!endedMeanwhile) throw error
    const now = await core.db.first(findUserById, { id: user.id })
    return refuse(core, user, now?.status === 'active' ? 'wrong_password' : 'suspended', caller)
  }
  if (proof.isRegistration !== true) await keepReturn(core, user)
  await endOldest(core, user, session)
  core.events.emit('login', { outcome: 'success', user: toUser(user), ip: caller.ip, requestId: caller.requestId })
  return { next: 'done', user }
}

/** The trail says why; the person learns no more than after a wrong password. */
async function refuse(core: Core, user: StoredUser, outcome: 'suspended' | 'wrong_password', caller: Caller): Promise<never> {
  await audit(core, loginEvent, user.id, caller, outcome)
  core.events.emit('login', { outcome: 'wrong_credentials', user: toUser(user), ip: caller.ip, requestId: caller.requestId })
  throw new MembershipError('invalid_credentials')
}

/**
 * The current session goes on under a new id with its data, as a recent login. Throws `login_required` if it or the user's login ended
 * meanwhile.
 */
export function continueLogin(
  core: Core,
  user: StoredUser,
  { factors = 'password', persistent }: SessionWithUser,
  caller: Caller,
): Promise<SessionWithUser> {
  return startLogin(core, user, { factors, persistent, keep: 'all', continues: true }, caller)
}

/** Throws if the user's login or the current session ended while the password was hashed. */
async function startLogin(
  core: Core,
  user: StoredUser,
  { persistent, ...login }: Pick<NewLoginSession, 'factors' | 'persistent' | 'keep' | 'continues'>,
  caller: Caller,
): Promise<SessionWithUser> {
  const { ip, userAgent } = caller
  const limits = persistent ? core.settings.remember : core.settings.session
  // The epoch as it was read: if the password changed meanwhile, the new session is dead at once.
  const { id: userId, credentialEpoch } = user
  const authenticatedAt = core.clock.now()
  try {
    return await caller.startSession({ ...login, userId, credentialEpoch, authenticatedAt, ip, userAgent, limits, persistent })
  } catch (error) {
    if (!(error instanceof SessionEndedError)) throw error
    throw new MembershipError(login.continues ? 'login_required' : 'invalid_credentials', { cause: error })
  }
}

/** A login that the host application authenticated; else like any other. Undefined if there is no such user. */
export async function signInById(
  core: Core,
  id: string,
  { crossSite }: Pick<Proof, 'crossSite'>,
  caller: Caller,
): Promise<SignInResult | undefined> {
  const user = await core.db.first(findUserById, { id })
  return user && signIn(core, user, { factors: 'application', remember: false, crossSite }, caller)
}

/** The host application may refuse a login whose proof was right; listeners are told. */
async function askBeforeSignIn(core: Core, stored: StoredUser, { ip, userAgent, requestId }: Caller): Promise<void> {
  const user = toUser(stored)
  try {
    await askHook(() => core.hooks.beforeSignIn?.({ user, ip, userAgent }))
  } catch (error) {
    const isRefusal = error instanceof MembershipError && error.code === 'refused'
    if (isRefusal) core.events.emit('login', { outcome: 'refused', user, ip, requestId })
    throw error
  }
}

/** The most sessions of one user; a new one ends those not seen for the longest time. */
const MAX_SESSIONS = 50

async function endOldest(core: Core, user: StoredUser, current: SessionWithUser): Promise<void> {
  try {
    const sessions = await core.db.sessions.listByUser(user.id)
    const others = sessions.filter(({ hash }) => hash !== current.hash)
    const oldest = others.slice(MAX_SESSIONS - 1).map(({ hash }) => hash)
    if (oldest.length > 0) await core.db.sessions.delete(oldest)
  } catch (error) {
    // The login is done; the next one tries again.
    core.log.warn({ err: error, userId: user.id }, 'the oldest sessions could not be ended')
  }
}
