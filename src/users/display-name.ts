// What a user is called: judged in one place, whoever chooses it. The operator may change it too.
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
  /** How the user is shown then. */
  readonly shown: string
  readonly statement: BoundStatement
}

/** Undefined where nothing changes: a name that is kept is not judged again. Empty: the username. Throws `invalid_input`. */
export function newDisplayName({ settings }: Core, user: StoredUser, typed: string): NewDisplayName | undefined {
  const tidied = tidyDisplayName(typed)
  const displayName = tidied === user.username ? '' : tidied
  const shown = displayNameOf(user.username, displayName)
  if (shown === user.displayName) return undefined
  const issue = displayNameIssue(displayName, settings.siteName)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'displayName', ...issue }] })
  return { shown, statement: bind(setDisplayName, { id: user.id, displayName }, { expectRows: 1 }) }
}

export async function changeDisplayName(core: Core, user: StoredUser, typed: string, by: Origin): Promise<StoredUser> {
  const change = newDisplayName(core, user, typed)
  if (!change) return user
  await core.db.transaction([change.statement, auditEntry(core, displayNameChangedEvent, user.id, by)])
  return { ...user, displayName: change.shown }
}
