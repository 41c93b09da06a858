// Somebody else has got in: every session ends, and the owner is mailed a link to set a new password.
import { auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { credentialsChanged } from '../core/credentials-changed.ts'
import { notificationsOf } from '../core/outbox.ts'
import type { FoundToken } from '../core/tokens.ts'
import type { BoundStatement } from '../storage/statement.ts'
import { findPassword } from '../storage/users.ts'
import { resetMail } from './recovery-mails.ts'

export const notMeEvent = auditEvent('not_me')

/** `also`: statements of the same transaction. Throws `invalid_token` if the token was used meanwhile. */
export async function endIntrusion(core: Core, token: FoundToken, also: readonly BoundStatement[], by: Origin): Promise<void> {
  const { id } = token.user
  const stored = await core.db.first(findPassword, { userId: id })
  const data = { hasPassword: stored !== undefined, isAlarm: true }
  await credentialsChanged(
    core,
    id,
    (user) => {
      // To another address than that of the mail goes nothing: it may be that of whoever broke in.
      const isTheirs = user.emailKey === token.emailKey
      const notifications = isTheirs ? notificationsOf(user, resetMail, by, data) : []
      return { because: notMeEvent, token, statements: also, notifications }
    },
    by,
  )
}
