// Suspends a user, which ends every session, or activates them again, for operators.
import { auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { credentialsChanged } from '../core/credentials-changed.ts'
import { SETTABLE_STATUSES, type SettableStatus } from '../domain/user.ts'
import type { StoredUser } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { setStatus as setStatusOf } from '../storage/users.ts'

export const statusChangedEvent = auditEvent('status_changed')

export async function setStatus(core: Core, user: StoredUser, status: SettableStatus, by: Origin): Promise<StoredUser> {
  if (!SETTABLE_STATUSES.includes(status))
    throw new TypeError(`setStatus: status must be ${SETTABLE_STATUSES.join(' or ')}, got '${status}'`)
  const { id } = user
  const statements = [bind(setStatusOf, { id, status }, { expectRows: 1 })]
  const change = { because: statusChangedEvent, statements }
  await credentialsChanged(core, id, (read) => (read.status === status ? undefined : change), by)
  return { ...user, status }
}
