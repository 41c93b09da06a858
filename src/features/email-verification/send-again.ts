// Asks for the mail with link and code once more: the same write, whoever else has the address.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import { requestStatement } from '../../core/outbox.ts'
import { clearUndeliverable } from '../../storage/addresses.ts'
import { bind } from '../../storage/statement.ts'
import { verifyRequest } from '../../users/verification.ts'

/** Also says that an address takes mails again which a mail server has refused. */
export async function sendAgain(core: Core, _input: object, caller: Caller): Promise<void> {
  const { user } = requireSession(caller)
  await core.db.transaction([
    requestStatement(core, verifyRequest, user.id, caller),
    ...(user.isUndeliverable ? [bind(clearUndeliverable, { id: user.id })] : []),
  ])
}
