// Gives a user another username, for operators. Sessions go on; the id stays.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername, tidyUsername, usernameIssue } from '../domain/names.ts'
import type { StoredUser } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { setUsername } from '../storage/users.ts'
import { takeUsername } from './create-user.ts'

export const renamedEvent = auditEvent('renamed')

/** Throws `invalid_input` or `username_taken`. */
export async function rename(core: Core, user: StoredUser, typed: string, by: Origin): Promise<StoredUser> {
  const username = tidyUsername(typed)
  const issue = usernameIssue(username, core.settings.siteName)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'username', ...issue }] })
  await takeUsername(
    core,
    bind(setUsername, { id: user.id, username, usernameKey: canonicalUsername(username) }, { expectRows: 1 }),
    auditEntry(core, renamedEvent, user.id, by),
  )
  const isDefault = user.displayName === user.username
  return { ...user, username, displayName: isDefault ? username : user.displayName }
}
