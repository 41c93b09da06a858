// The way out: the session is deleted and the cookie cleared, in any state, as often as asked.
import { toUser } from '../domain/user.ts'
import { audit, auditEvent } from './audit.ts'
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'

export const logoutEvent = auditEvent('logout', { folds: true })

export async function signOut(core: Core, caller: Caller): Promise<void> {
  const user = caller.session?.user
  // First the entry: a session that is gone is no longer anybody's failure.
  if (user) await audit(core, logoutEvent, user.id, caller)
  await caller.endSession()
  if (user) core.events.emit('logout', { user: toUser(user) })
}
