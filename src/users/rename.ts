// The operator gives a user another username. Sessions go on; the id stays.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername, usernameIssue } from '../domain/names.ts'
import type { StoredUser } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { setUsername } from '../storage/users.ts'
import { takeUsername } from './create-user.ts'

export const renamedEvent = auditEvent('renamed')

/** Throws `invalid_input` or `username_taken`. */
export async function rename(core: Core, user: StoredUser, username: string, by: Origin): Promise<StoredUser> {
  const issue = usernameIssue(username)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'username', ...issue }] })
  await takeUsername(core, [
    bind(setUsername, { id: user.id, username, usernameKey: canonicalUsername(username) }, { expectRows: 1 }),
    auditEntry(core, renamedEvent, user.id, by),
  ])
  return { ...user, username }
}
