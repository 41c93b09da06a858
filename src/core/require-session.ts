// The session and the user of somebody who is logged in; anybody else is refused.
import { MembershipError } from '../domain/errors.ts'
import type { LiveSession, StoredUser } from '../storage/contract.ts'
import type { Caller } from './core.ts'

export function requireSession(caller: Pick<Caller, 'session'>): { readonly session: LiveSession; readonly user: StoredUser } {
  const { session } = caller
  if (!session?.user) throw new MembershipError('login_required')
  return { session, user: session.user }
}
