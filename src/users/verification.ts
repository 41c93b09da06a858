// The proof of an address: to whom a link is mailed after a registration, or when a member asks again.
import type { RequestKind } from '../core/mail-kind.ts'
import { findProven } from '../storage/addresses.ts'
import { findUserById } from '../storage/users.ts'
import { addressTakenMail, verifyMail } from './verification-mails.ts'

/** About a user, by id. The worker decides, so that no answer tells whether somebody else has proven the address. */
export const verifyRequest: RequestKind = {
  name: 'verify',
  async decide(core, { identifier, locale }) {
    const user = await core.db.first(findUserById, { id: identifier })
    if (user?.status !== 'active' || user.emailVerified) return []
    const { email: to, emailKey: toKey } = user
    if (to === undefined || toKey === undefined) return []
    const owner = await core.db.first(findProven, { emailKey: toKey })
    if (!owner) return [{ kind: verifyMail, to, toKey, user, locale }]
    if (owner.status !== 'active' || owner.email === undefined) return []
    // In the language of its owner, or of the site: the request's is a stranger's.
    return [{ kind: addressTakenMail, to: owner.email, toKey, user: owner, locale: undefined }]
  },
}
