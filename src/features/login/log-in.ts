// Logs a user in with the password, and the username or an address that is proven.
import { audit } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { countLogin, type LoginName, loginNameOf } from '../../core/proofs.ts'
import { loginEvent, type SignInResult, signIn } from '../../core/sign-in.ts'
import { MembershipError } from '../../domain/errors.ts'
import { toUser } from '../../domain/user.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { findForLogin, findForLoginByAddress, upgradePasswordHash } from '../../storage/users.ts'

export interface Credentials {
  readonly username: string
  readonly password: string
  readonly remember: boolean
}

/** The route has already counted the try; a success refunds it. Throws `invalid_credentials`. */
export async function logIn(core: Core, input: Credentials, caller: Caller): Promise<SignInResult> {
  const name = loginNameOf(core, input.username)
  const found = await findFor(core, name)
  const isJudged = await countLogin(core, name, found?.user, caller)
  const stored = isJudged ? found?.passwordHash : undefined
  // Also if there is no such user, or too many tries: the hasher then takes as long with a dummy hash.
  const matches = await core.passwords.verify(stored, input.password, caller.priority)
  if (!found || stored === undefined || !matches) {
    await audit(core, loginEvent, found?.user.id, caller, isJudged ? 'wrong_password' : 'throttled')
    const user = found && toUser(found.user)
    const outcome = isJudged ? 'wrong_credentials' : 'throttled'
    core.events.emit('login', { outcome, user, ip: caller.ip, requestId: caller.requestId })
    throw new MembershipError('invalid_credentials')
  }
  const { user } = found
  const result = await signIn(core, user, { factors: 'password', remember: input.remember }, caller)
  if (core.passwords.needsRehash(stored)) await upgradeHash(core, user, stored, input.password, caller)
  return result
}

function findFor(core: Core, { usernameKey, emailKey }: LoginName) {
  return emailKey === undefined
    ? core.db.first(findForLogin, { usernameKey })
    : core.db.first(findForLoginByAddress, { emailKey })
}

/** Renews a hash of old settings. Never throws: a failure here must not fail the login. */
async function upgradeHash(core: Core, user: StoredUser, old: string, password: string, { priority }: Caller): Promise<void> {
  try {
    const hash = await core.passwords.hash(password, priority)
    await core.db.write(upgradePasswordHash, { userId: user.id, old, hash })
  } catch (error) {
    const fields = { err: error, userId: user.id }
    core.log.warn(fields, 'the password hash could not be brought up to date; the next login tries again')
  }
}
