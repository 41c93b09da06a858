// The operator closes an account, or opens it again. Closing it ends every session with the answer.
import type { Caller, Core } from '../core/core.ts'
import { credentialsChanged } from '../core/credentials-changed.ts'
import { SETTABLE_STATUSES, type SettableStatus } from '../domain/user.ts'
import type { StoredUser } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { setStatus as setStatusOf } from '../storage/users.ts'

export async function setStatus(
  core: Core,
  user: StoredUser,
  status: SettableStatus,
  caller: Pick<Caller, 'ip' | 'userAgent'>,
): Promise<StoredUser> {
  if (!SETTABLE_STATUSES.includes(status))
    throw new TypeError(`setStatus: status must be ${SETTABLE_STATUSES.join(' or ')}, got '${status}'`)
  if (user.status === status) return user
  const steps = [bind(setStatusOf, { id: user.id, status }, { expectRows: 1 })]
  await credentialsChanged(core, user, { because: 'status_changed', steps }, caller)
  return { ...user, status }
}
