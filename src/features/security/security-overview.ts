// What the security page shows: sessions, the age of the password, recent activity.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import { recentAuditEntries } from '../../storage/audit.ts'
import { findPassword } from '../../storage/users.ts'
import { listOwnSessions } from '../../users/sessions.ts'

const RECENT_ENTRIES = 20

export async function securityOverview(core: Core, caller: Caller) {
  const { user } = requireSession(caller)
  const sessions = await listOwnSessions(core, caller)
  const password = await core.db.first(findPassword, { userId: user.id })
  const entries = await core.db.all(recentAuditEntries, { userId: user.id, limit: RECENT_ENTRIES })
  return { sessions, passwordChangedAt: password?.changedAt, entries }
}
