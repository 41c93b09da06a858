// Changes a display name, by the same rules for users and operators.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { displayNameIssue, tidyDisplayName } from '../domain/names.ts'
import type { StoredUser } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { displayNameOf, setDisplayName } from '../storage/users.ts'

export const displayNameChangedEvent = auditEvent('display_name_changed')

interface NewDisplayName {
  /** The name that is shown: the username if none is chosen. */
  readonly displayName: string
  readonly statement: BoundStatement
}

/** Undefined if nothing changes: a name that is kept is not checked again. Empty: the username. Throws `invalid_input`. */
export function newDisplayName({ settings }: Core, user: StoredUser, typed: string): NewDisplayName | undefined {
  const tidied = tidyDisplayName(typed)
  const stored = tidied === user.username ? '' : tidied
  const displayName = displayNameOf(user.username, stored)
  if (displayName === user.displayName) return undefined
  const issue = displayNameIssue(stored, settings.siteName)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'displayName', ...issue }] })
  return { displayName, statement: bind(setDisplayName, { id: user.id, displayName: stored }, { expectRows: 1 }) }
}

export async function changeDisplayName(core: Core, user: StoredUser, typed: string, by: Origin): Promise<StoredUser> {
  const change = newDisplayName(core, user, typed)
  if (!change) return user
  await core.db.transaction([change.statement, auditEntry(core, displayNameChangedEvent, user.id, by)])
  return { ...user, displayName: change.displayName }
}
