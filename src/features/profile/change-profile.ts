// A person changes what the site calls them.
import { auditEntry } from '../../core/audit.ts'
import type { Caller, Core } from '../../core/core.ts'
import { requireSession } from '../../core/require-session.ts'
import { MembershipError } from '../../domain/errors.ts'
import { displayNameFault, tidyDisplayName } from '../../domain/user.ts'
import type { UserRow } from '../../storage/contract.ts'
import { step } from '../../storage/statement.ts'
import { setDisplayName } from '../../storage/users.ts'

export interface ProfileChange {
  /** Empty: the username again. Missing: as it was. */
  readonly displayName?: string | undefined
}

export async function changeProfile(core: Core, input: ProfileChange, caller: Caller): Promise<UserRow> {
  const { user } = requireSession(caller)
  if (input.displayName === undefined) return user
  const tidied = tidyDisplayName(input.displayName)
  const fault = displayNameFault(tidied)
  if (fault) throw new MembershipError('invalid_input', { errors: [{ field: 'displayName', ...fault }] })
  const displayName = tidied === '' ? user.username : tidied
  await core.db.commit([
    step(setDisplayName, { id: user.id, displayName }, { touches: 1 }),
    auditEntry(core, 'profile_changed', 'success', user.id, caller),
  ])
  return { ...user, displayName }
}
