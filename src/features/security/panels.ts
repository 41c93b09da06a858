// The panels of the security page: the sessions, and the age of the password.
import { requireSession } from '../../core/live-session.ts'
import type { PageContext } from '../../http/http-context.ts'
import { findPassword } from '../../storage/users.ts'
import { listOwnSessions } from '../../users/sessions.ts'
import { deviceName } from '../../views/device-name.ts'

export async function passwordPanel({ core, caller }: PageContext) {
  const { user } = requireSession(caller)
  const password = await core.db.first(findPassword, { userId: user.id })
  return password && { now: core.clock.now(), changedAt: password.changedAt }
}

export async function sessionsPanel({ core, caller, t }: PageContext) {
  const listed = await listOwnSessions(core, caller)
  const sessions = listed.map(({ userAgent, ...session }) => ({ ...session, device: deviceName(userAgent, t) }))
  return { now: core.clock.now(), sessions: sessions.toSorted((a, b) => Number(b.current) - Number(a.current)) }
}
