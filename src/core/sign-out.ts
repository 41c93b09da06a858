// Logs out: deletes the session and the flows of the browser, in any state and also repeatedly.
import { toUser } from '../domain/user.ts'
import { audit, auditEvent } from './audit.ts'
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'
import { endFlows } from './flow.ts'

export const logoutEvent = auditEvent('logout', { folds: true })

export async function signOut(core: Core, caller: Caller): Promise<void> {
  const user = caller.session?.user
  // The entry comes first: once the session is gone, a failure could not be retried.
  if (user) await audit(core, logoutEvent, user.id, caller)
  await caller.endSession()
  // What somebody began on a shared computer is not for the next.
  await endFlows(core, caller)
  if (user) core.events.emit('logout', { user: toUser(user) })
}
