// The only way to change what a login rests on: a password, a factor, the status. Whoever is logged in with the old one is out.
import type { StoredUser } from '../storage/contract.ts'
import type { BoundStatement } from '../storage/statement.ts'
import { bind } from '../storage/statement.ts'
import { raiseEpoch } from '../storage/users.ts'
import { type AuditEvent, auditEntry } from './audit.ts'
import type { Caller, Core } from './core.ts'

/**
 * Makes the change, raises the epoch and writes the entry in one unit of work, then deletes the sessions. A session that survives
 * on the way (a crash, a Redis that is away) is dead all the same: its epoch is judged at every request.
 */
export async function credentialsChanged(
  core: Core,
  user: Pick<StoredUser, 'id'>,
  change: { readonly because: AuditEvent; readonly steps: readonly BoundStatement[] },
  caller: Pick<Caller, 'ip' | 'userAgent'>,
): Promise<void> {
  await core.db.transaction([
    ...change.steps,
    bind(raiseEpoch, { id: user.id }, { expectRows: 1 }),
    auditEntry(core, change.because, 'success', user.id, caller),
  ])
  try {
    await core.db.sessions.deleteByUser(user.id)
  } catch (error) {
    // The change is made and the epoch has ended them: an error would say that nothing happened.
    core.log.warn({ err: error, userId: user.id }, 'the sessions of a changed account are dead, but could not be deleted')
  }
}
