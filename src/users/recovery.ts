// The way back in: to whom a link to set a new password is mailed. One use case for page, operators and notifications.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import type { RequestedMail, RequestKind } from '../core/mail-kind.ts'
import { mailStatement } from '../core/outbox.ts'
import { readMailAddress } from '../domain/mail-address.ts'
import { canonicalUsername } from '../domain/names.ts'
import { findClaimants } from '../storage/addresses.ts'
import type { StoredUser } from '../storage/contract.ts'
import { findPassword, findUserByKey } from '../storage/users.ts'
import { claimMail, resetMail } from './recovery-mails.ts'

export const resetSentEvent = auditEvent('reset_sent')

/** Of the accounts that name an address without proof so many are mailed about. */
const MAX_CLAIMANTS = 5

/** Anybody may ask; the worker decides, so that no answer tells whether there is such a user. */
export const resetRequest: RequestKind = {
  name: 'reset',
  async decide(core, { identifier, locale }) {
    const claimants = await findNamed(core, identifier)
    const mails = await Promise.all(claimants.map((user) => recoveryMail(core, user, locale)))
    return mails.filter((mail) => mail !== undefined)
  },
}

/** Why no link can be sent: the user is suspended, has no address, or the site has no mail. */
export type NoReset = 'suspended' | 'no_address' | 'no_mail'

/**
 * An operator lets somebody in again whom they know by other means: also by an address that nobody has proven. Undefined: a mail waits in
 * the outbox.
 */
export async function sendReset(core: Core, user: StoredUser, by: Origin): Promise<NoReset | undefined> {
  const { email: to, emailKey: toKey } = user
  if (user.status !== 'active') return 'suspended'
  if (!core.mailer) return 'no_mail'
  if (to === undefined || toKey === undefined) return 'no_address'
  const stored = await core.db.first(findPassword, { userId: user.id })
  const data = { hasPassword: stored !== undefined, byOperator: true }
  await core.db.transaction([
    mailStatement(core, { kind: resetMail, to, toKey, user, locale: by.language, data }),
    auditEntry(core, resetSentEvent, user.id, by),
  ])
  core.outbox.ring()
  return undefined
}

/** A username names one user; an address the one who has proven it, else all who claim it. */
async function findNamed(core: Core, identifier: string): Promise<readonly StoredUser[]> {
  const emailKey = readMailAddress(identifier)?.key
  if (emailKey === undefined) return core.db.all(findUserByKey, { usernameKey: canonicalUsername(identifier) })
  const claimants = await core.db.all(findClaimants, { emailKey, limit: MAX_CLAIMANTS })
  const [first] = claimants
  return first?.emailVerified ? [first] : claimants
}

/** Undefined: there is no address, or the user may not log in. */
async function recoveryMail(core: Core, user: StoredUser, locale: string | undefined): Promise<RequestedMail | undefined> {
  const { email: to, emailKey: toKey, emailVerified: isRecovery } = user
  if (to === undefined || toKey === undefined || user.status !== 'active') return undefined
  if (!mayRecover(user)) return { kind: claimMail, to, toKey, user, locale }
  const stored = await core.db.first(findPassword, { userId: user.id })
  return { kind: resetMail, to, toKey, user, locale, isRecovery, data: { hasPassword: stored !== undefined } }
}

/**
 * Whether a link to the address may open the account. One that nobody has proven may be a typo, and its mailbox a stranger's: only an
 * account that nobody has come back to, and that may do no more than any other, is worth less than the way back in.
 */
export function mayRecover({ emailVerified, isUsed, roles }: StoredUser): boolean {
  return emailVerified || (!isUsed && roles.length === 0)
}
