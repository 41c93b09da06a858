// A login for which the host application vouches: nothing is proven to us, everything else is as at any login.
import { findUserById } from '../storage/users.ts'
import type { Caller, Core } from './core.ts'
import { signIn } from './sign-in.ts'

/** False where there is no such user. */
export async function signInById(core: Core, id: string, caller: Caller): Promise<boolean> {
  const user = await core.db.first(findUserById, { id })
  if (!user) return false
  await signIn(core, user, { factors: 'application', remember: false }, caller)
  return true
}
