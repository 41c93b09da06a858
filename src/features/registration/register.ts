// A visitor makes an account and is logged in.
import type { Caller, Core } from '../../core/core.ts'
import { signIn } from '../../core/sign-in.ts'
import { MembershipError } from '../../domain/errors.ts'
import { askHook } from '../../domain/hooks.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { createUser, type NewUser, refuseFaults } from '../../users/create-user.ts'

export async function register(core: Core, input: Omit<NewUser, 'roles'>, caller: Caller): Promise<StoredUser> {
  refuseWhereClosed(core)
  // Only the fields that a visitor may choose: a role in the request is not read.
  const { username, password, displayName } = input
  refuseFaults(core, { username, password, displayName })
  await askHook(() => core.hooks.beforeRegister?.({ username, displayName, ip: caller.ip, userAgent: caller.userAgent }))
  const user = await createUser(core, { username, password, displayName }, caller)
  await signIn(core, user, { factors: 'password', remember: false }, caller)
  return user
}

export function refuseWhereClosed(core: Core): void {
  if (core.settings.registration === 'closed') throw new MembershipError('registration_closed')
}
