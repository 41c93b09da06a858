// A member replaces the password: the current one is the proof, and every other session ends.
import { audit, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { credentialsChanged } from '../../core/credentials-changed.ts'
import { requireSession } from '../../core/live-session.ts'
import { PROOFS_PER_USER } from '../../core/throttle.ts'
import { type FieldIssue, MembershipError } from '../../domain/errors.ts'
import { canonicalUsername } from '../../domain/names.ts'
import { normalizePassword } from '../../domain/password-policy.ts'
import { toUser } from '../../domain/user.ts'
import { bind } from '../../storage/statement.ts'
import { findPassword, setPassword } from '../../storage/users.ts'
import { newPasswordIssue } from '../../users/new-password-issue.ts'

export const passwordChangedEvent = auditEvent('password_changed')

export interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
}

/** `log-in`: the password is changed, and the session at hand was ended meanwhile. */
export async function changePassword(core: Core, input: PasswordChange, caller: Caller): Promise<'go-on' | 'log-in'> {
  const { user } = requireSession(caller)
  const { currentPassword, newPassword } = input
  // Before anything is hashed or counted: what is wrong with the new one says nothing of the one that is stored.
  const issue = issueOf(core, input, user.username)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'newPassword', ...issue }] })
  // With the tries to log in: whoever took over a session gets no more guesses than a stranger.
  await caller.count(PROOFS_PER_USER, canonicalUsername(user.username))
  const stored = await core.db.first(findPassword, { userId: user.id })
  // Also for somebody without a password: the hasher then works as long on a hash that is nobody's.
  const matches = await core.passwords.verify(stored?.passwordHash, currentPassword)
  if (!matches) {
    await audit(core, passwordChangedEvent, user.id, caller, 'wrong_password')
    throw new MembershipError('invalid_credentials')
  }
  const hash = await core.passwords.hash(newPassword)
  const kept = await credentialsChanged(
    core,
    user.id,
    ({ id, credentialEpoch }) => {
      // Others changed them while this was hashed: they ended this session, and its proof may be a password of before.
      if (credentialEpoch !== user.credentialEpoch) throw new MembershipError('login_required')
      const statement = bind(setPassword, { userId: id, hash, now: core.clock.now() }, { expectRows: 1 })
      return { because: passwordChangedEvent, statements: [statement], keep: caller }
    },
    caller,
  )
  core.events.emit('password_changed', { user: toUser(user), ip: caller.ip, requestId: caller.requestId })
  return kept ? 'go-on' : 'log-in'
}

/** The same again would look like a change to somebody who was robbed of the old one. */
function issueOf(core: Core, { currentPassword, newPassword }: PasswordChange, username: string): FieldIssue | undefined {
  const isSame = normalizePassword(newPassword) === normalizePassword(currentPassword)
  return isSame ? { code: 'unchanged' } : newPasswordIssue(core, newPassword, username)
}
