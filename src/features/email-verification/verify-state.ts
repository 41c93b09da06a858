// What the page of a proof shows to this visitor, and the panel of the security page.
import { requireSession } from '../../core/live-session.ts'
import type { PageContext } from '../../http/http-context.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { findLink } from './verify-link.ts'

/**
 * With a link: `own` session, the `password` is asked for, or the session of `other` user. Without one: a member types the `code`, has
 * `proven` the address or has `none`; to a visitor a link is `dead`.
 */
type VerifyState = 'own' | 'password' | 'other' | 'code' | 'proven' | 'none' | 'dead'

export async function verifyState({ core, caller, flow }: PageContext) {
  const link = await findLink(core, flow, caller)
  const user = caller.session?.user
  const owner = link?.token.user
  const shown = owner ?? user
  return {
    state: owner ? linkState(owner, user) : stateOf(user),
    flow: link && flow,
    account: owner?.username,
    address: shown?.email,
    isUndeliverable: shown?.isUndeliverable ?? false,
  }
}

function linkState(owner: StoredUser, user: StoredUser | undefined): VerifyState {
  if (!user) return 'password'
  return user.id === owner.id ? 'own' : 'other'
}

function stateOf(user: StoredUser | undefined): VerifyState {
  if (!user) return 'dead'
  if (user.email === undefined) return 'none'
  return user.emailVerified ? 'proven' : 'code'
}

export function addressPanel({ caller }: PageContext) {
  const { email, emailVerified, isUndeliverable } = requireSession(caller).user
  return email === undefined ? undefined : { address: email, isProven: emailVerified, isUndeliverable }
}
