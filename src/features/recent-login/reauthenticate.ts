// Somebody who is logged in proves it once more, before what needs a recent login.
import { audit, auditEvent } from '../../core/audit.ts'
import type { Caller, NewSession } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import { PROOFS_PER_USER } from '../../core/throttle.ts'
import { MembershipError } from '../../domain/errors.ts'
import { canonicalUsername } from '../../domain/names.ts'
import { readValues } from '../../session/data.ts'
import { SessionEndedError } from '../../session/request/lifecycle.ts'
import { findPassword } from '../../storage/users.ts'

export const recentLoginEvent = auditEvent('recent_login')

export async function reauthenticate(core: Core, input: { readonly password: string }, caller: Caller): Promise<void> {
  const { session, user } = requireSession(caller)
  // With the tries to log in: whoever took over a session gets no more guesses than a stranger.
  for (const limit of PROOFS_PER_USER) await caller.count(limit, canonicalUsername(user.username))
  const credential = await core.db.first(findPassword, { userId: user.id })
  const matches = await core.passwords.verify(credential?.passwordHash, input.password)
  if (!matches) {
    await audit(core, recentLoginEvent, user.id, caller, 'wrong_password')
    throw new MembershipError('invalid_credentials')
  }
  await audit(core, recentLoginEvent, user.id, caller)
  await renew(caller, {
    userId: user.id,
    // The epoch this session was judged by, not a newer one: where the password changed meanwhile, the new session is dead at once.
    credentialEpoch: user.credentialEpoch,
    factors: session.factors ?? 'password',
    authenticatedAt: core.clock.now(),
    ip: caller.ip,
    userAgent: caller.userAgent,
    limits: session.persistent ? core.settings.remember : core.settings.session,
    persistent: session.persistent,
    keep: [...readValues(session.data).keys()],
    continues: true,
  })
}

/** This renews a login and is none: what was ended while the password was hashed stays ended. */
async function renew(caller: Caller, login: NewSession): Promise<void> {
  try {
    await caller.startSession(login)
  } catch (error) {
    throw error instanceof SessionEndedError ? new MembershipError('login_required', { cause: error }) : error
  }
}
