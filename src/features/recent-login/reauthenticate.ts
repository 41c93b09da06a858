// Confirms the password of a user who is logged in, which makes the login recent.
import { audit, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import { countProof } from '../../core/proofs.ts'
import { continueLogin } from '../../core/sign-in.ts'
import { MembershipError } from '../../domain/errors.ts'
import { findPassword } from '../../storage/users.ts'

export const recentLoginEvent = auditEvent('recent_login', { folds: true })

export async function reauthenticate(core: Core, input: { readonly password: string }, caller: Caller): Promise<void> {
  const { session, user } = requireSession(caller)
  // Counts with the tries to log in: a stolen session must not allow more guesses.
  await countProof(core, user, caller)
  // No priority is given, so it is high: the user is logged in already.
  const credential = await core.db.first(findPassword, { userId: user.id })
  const matches = await core.passwords.verify(credential?.passwordHash, input.password)
  if (!matches) {
    await audit(core, recentLoginEvent, user.id, caller, 'wrong_password')
    throw new MembershipError('invalid_credentials')
  }
  await audit(core, recentLoginEvent, user.id, caller)
  await continueLogin(core, user, session, caller)
}
