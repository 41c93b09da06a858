// Sets a new password by a mailed token: every session ends, and nobody is logged in.
import { auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { credentialsChanged } from '../core/credentials-changed.ts'
import { notificationsOf } from '../core/outbox.ts'
import type { FoundToken } from '../core/tokens.ts'
import { MembershipError } from '../domain/errors.ts'
import { newId } from '../domain/secret.ts'
import { toUser } from '../domain/user.ts'
import { dropOtherClaims, proveAddress } from '../storage/addresses.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { deleteOtherCredentials, findPassword, findUserById, insertPassword, setPassword } from '../storage/users.ts'
import { passwordChangedMail } from './password-changed-mail.ts'
import { mayRecover } from './recovery.ts'
import { unlock } from './unlock.ts'

export const passwordResetEvent = auditEvent('password_reset')

/** Whether the token still opens the account: its user may have been suspended, or have come into use, since the mail left. */
export async function isRecoverable(core: Core, { user: { id }, data }: FoundToken): Promise<boolean> {
  const user = await core.db.first(findUserById, { id })
  if (user?.status !== 'active') return false
  return data.byOperator === true || mayRecover(user)
}

/** `also`: statements of the same transaction. Throws `invalid_token` if the token was used, or the user changed, meanwhile. */
export async function finishRecovery(
  core: Core,
  token: FoundToken,
  hash: string,
  also: readonly BoundStatement[],
  by: Origin,
): Promise<void> {
  const { user } = token
  const changeOf = async (read: StoredUser) => {
    if (!(await isRecoverable(core, token))) throw new MembershipError('invalid_token')
    return {
      because: passwordResetEvent,
      token,
      statements: [await passwordStatement(core, read, hash), ...proofStatements(core, read, token), ...also],
      // The address is proven by now, whatever it was before.
      notifications: notificationsOf({ ...read, emailVerified: true }, passwordChangedMail, by, { byMail: true }),
    }
  }
  try {
    await credentialsChanged(core, user.id, changeOf, by)
  } catch (error) {
    const isProvenElsewhere = error instanceof UnexpectedRowCountError && error.statement === proveAddress.name
    throw isProvenElsewhere ? new MembershipError('invalid_token', { cause: error }) : error
  }
  core.events.emit('password_changed', { user: toUser(user), ip: by.ip, requestId: by.requestId })
  await letIn(core, user, by)
}

async function passwordStatement(core: Core, { id: userId }: StoredUser, hash: string): Promise<BoundStatement> {
  const now = core.clock.now()
  if (await core.db.first(findPassword, { userId })) return bind(setPassword, { userId, hash, now }, { expectRows: 1 })
  return bind(insertPassword, { id: newId(), userId, hash, now })
}

/** Who reads the mails to an address that nobody had proven has proven it now: what a squatter added before is not theirs. */
function proofStatements(core: Core, user: StoredUser, { emailKey }: FoundToken): readonly BoundStatement[] {
  if (user.emailVerified || emailKey === undefined) return []
  return [
    bind(proveAddress, { id: user.id, emailKey, now: core.clock.now() }, { expectRows: 1 }),
    bind(dropOtherClaims, { id: user.id, emailKey }),
    bind(deleteOtherCredentials, { userId: user.id }),
  ]
}

/** Wrong guesses of others must not keep the owner out now. Never throws: the password is set. */
async function letIn(core: Core, user: StoredUser, by: Origin): Promise<void> {
  try {
    await unlock(core, user, by)
  } catch (error) {
    core.log.warn({ err: error, userId: user.id }, 'the count of wrong passwords could not be cleared after a reset')
  }
}
