// The way out: the session is deleted and the cookie cleared, in any state, as often as asked.
import { audit } from './audit.ts'
import type { Caller, Core } from './core.ts'
import { asUser } from './user.ts'

export async function signOut(core: Core, caller: Caller): Promise<void> {
  const user = caller.session?.user
  // First the entry: a session that is gone is no longer anybody's failure.
  if (user) await audit(core, 'logout', 'success', user.id, caller)
  await caller.endSession()
  if (!user) return
  core.events.emit('logout', { user: asUser(user) })
}
