// Registers a visitor and logs them in.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { type SignInResult, signIn } from '../../core/sign-in.ts'
import { createUser } from '../../users/create-user.ts'

export interface Registration {
  readonly username: string
  readonly password: string
  readonly displayName?: string | undefined
  readonly email?: string | undefined
}

/** Visitors choose only these fields: a role in the request is ignored. */
export async function register(
  core: Core,
  { username, password, displayName, email }: Registration,
  caller: Caller,
): Promise<SignInResult> {
  const user = await createUser(core, { username, password, displayName, email }, caller)
  return signIn(core, user, { factors: 'password', remember: false, isRegistration: true }, caller)
}
