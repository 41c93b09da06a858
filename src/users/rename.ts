// The operator gives an account another username. Sessions go on; the id stays.
import { auditEntry } from '../core/audit.ts'
import type { Caller, Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername, usernameIssue } from '../domain/user.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { setUsername } from '../storage/users.ts'

/** Throws `invalid_input` or `username_taken`. */
export async function rename(
  core: Core,
  user: StoredUser,
  username: string,
  caller: Pick<Caller, 'ip' | 'userAgent'>,
): Promise<StoredUser> {
  const fault = usernameIssue(username)
  if (fault) throw new MembershipError('invalid_input', { errors: [{ field: 'username', ...fault }] })
  try {
    await core.db.transaction([
      bind(setUsername, { id: user.id, username, usernameKey: canonicalUsername(username) }, { expectRows: 1 }),
      auditEntry(core, 'renamed', 'success', user.id, caller),
    ])
  } catch (error) {
    // The statement touches no row where somebody else has the name.
    if (error instanceof UnexpectedRowCountError) throw new MembershipError('username_taken')
    throw error
  }
  return { ...user, username }
}
