// Somebody who is logged in proves once more that it is them, before something that needs a recent login.
import { audit } from '../../core/audit.ts'
import type { Caller, Core, NewSession } from '../../core/core.ts'
import { requireSession } from '../../core/require-session.ts'
import { MembershipError } from '../../domain/errors.ts'
import { readTexts } from '../../session/data.ts'
import { SessionEndedError } from '../../session/request/session-ended.ts'
import { findPassword } from '../../storage/users.ts'

export async function reauthenticate(core: Core, input: { readonly password: string }, caller: Caller): Promise<void> {
  const { session, user } = requireSession(caller)
  const credential = await core.db.first(findPassword, { userId: user.id })
  const matches = await core.passwords.verify(credential?.passwordHash, input.password)
  if (!matches) {
    await audit(core, 'recent_login', 'wrong_password', user.id, caller)
    throw new MembershipError('invalid_credentials')
  }
  await audit(core, 'recent_login', 'success', user.id, caller)
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
    keep: [...readTexts(session.data).keys()],
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
