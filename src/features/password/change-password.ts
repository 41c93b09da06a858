// Changes a password: the current one is the proof, and every other session ends.
import { audit, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { credentialsChanged } from '../../core/credentials-changed.ts'
import { requireSession } from '../../core/live-session.ts'
import { notificationsOf } from '../../core/outbox.ts'
import { countProof } from '../../core/proofs.ts'
import { type FieldIssue, MembershipError } from '../../domain/errors.ts'
import { normalizePassword } from '../../domain/password-policy.ts'
import { toUser } from '../../domain/user.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { bind } from '../../storage/statement.ts'
import { findPassword, setPassword } from '../../storage/users.ts'
import { newPasswordIssue } from '../../users/new-password-issue.ts'
import { passwordChangedMail } from '../../users/password-changed-mail.ts'

export const passwordChangedEvent = auditEvent('password_changed')

export interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
}

/** `log-in`: the password is changed, but this session could not go on. */
export async function changePassword(core: Core, input: PasswordChange, caller: Caller): Promise<'go-on' | 'log-in'> {
  const { user } = requireSession(caller)
  const { currentPassword, newPassword } = input
  // Checked before anything is hashed or counted: an issue of the new password reveals nothing about the stored one.
  const issue = issueOf(core, input, user)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'newPassword', ...issue }] })
  // Counts with the tries to log in: a stolen session must not allow more guesses.
  await countProof(core, user, caller)
  const stored = await core.db.first(findPassword, { userId: user.id })
  // Also for a user without a password: the hasher then takes as long with a dummy hash.
  const matches = await core.passwords.verify(stored?.passwordHash, currentPassword)
  if (!matches) {
    await audit(core, passwordChangedEvent, user.id, caller, 'wrong_password')
    throw new MembershipError('invalid_credentials')
  }
  const hash = await core.passwords.hash(newPassword)
  const kept = await credentialsChanged(
    core,
    user.id,
    (current) => {
      const { id, credentialEpoch } = current
      // The credentials changed during the hashing: this session has ended, and the proof may be an old password.
      if (credentialEpoch !== user.credentialEpoch) throw new MembershipError('login_required')
      const statement = bind(setPassword, { userId: id, hash, now: core.clock.now() }, { expectRows: 1 })
      const notifications = notificationsOf(current, passwordChangedMail, caller)
      return { because: passwordChangedEvent, statements: [statement], notifications, keep: caller }
    },
    caller,
  )
  core.events.emit('password_changed', { user: toUser(user), ip: caller.ip, requestId: caller.requestId })
  return kept ? 'go-on' : 'log-in'
}

/** Setting the same password again is refused: after a theft it would only look like a change. */
function issueOf(core: Core, { currentPassword, newPassword }: PasswordChange, user: StoredUser): FieldIssue | undefined {
  const isSame = normalizePassword(newPassword) === normalizePassword(currentPassword)
  return isSame ? { code: 'unchanged' } : newPasswordIssue(core.settings, newPassword, user)
}
