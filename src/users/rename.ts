// The operator gives a user another username. Sessions go on; the id stays.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername, usernameIssue } from '../domain/names.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { setUsername } from '../storage/users.ts'

export const renamedEvent = auditEvent('renamed')

/** Throws `invalid_input` or `username_taken`. */
export async function rename(core: Core, user: StoredUser, username: string, by: Origin): Promise<StoredUser> {
  const issue = usernameIssue(username)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'username', ...issue }] })
  try {
    await core.db.transaction([
      bind(setUsername, { id: user.id, username, usernameKey: canonicalUsername(username) }, { expectRows: 1 }),
      auditEntry(core, renamedEvent, user.id, by),
    ])
  } catch (error) {
    // The statement touches no row where somebody else has the name.
    if (error instanceof UnexpectedRowCountError) throw new MembershipError('username_taken')
    throw error
  }
  return { ...user, username }
}
