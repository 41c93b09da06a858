// Somebody who is logged in proves it once more, before what needs a recent login.
import { audit, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import { continueLogin } from '../../core/sign-in.ts'
import { PROOFS_PER_USER } from '../../core/throttle.ts'
import { MembershipError } from '../../domain/errors.ts'
import { canonicalUsername } from '../../domain/names.ts'
import { findPassword } from '../../storage/users.ts'

export const recentLoginEvent = auditEvent('recent_login', { folds: true })

export async function reauthenticate(core: Core, input: { readonly password: string }, caller: Caller): Promise<void> {
  const { session, user } = requireSession(caller)
  // With the tries to log in: whoever took over a session gets no more guesses than a stranger.
  await caller.count(PROOFS_PER_USER, canonicalUsername(user.username))
  // The person is logged in: their password is hashed before those of strangers.
  const credential = await core.db.first(findPassword, { userId: user.id })
  const matches = await core.passwords.verify(credential?.passwordHash, input.password)
  if (!matches) {
    await audit(core, recentLoginEvent, user.id, caller, 'wrong_password')
    throw new MembershipError('invalid_credentials')
  }
  await audit(core, recentLoginEvent, user.id, caller)
  await continueLogin(core, user, session, caller)
}
