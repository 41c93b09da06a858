// Proves an address: by its link or code, and only together with the account.
import { audit, auditEntry, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { leaveFlow, useFlow } from '../../core/flow.ts'
import { requireSession } from '../../core/live-session.ts'
import { countProof } from '../../core/proofs.ts'
import { type FoundToken, findTokenByCode, useToken } from '../../core/tokens.ts'
import { MembershipError } from '../../domain/errors.ts'
import { dropOtherClaims, proveAddress } from '../../storage/addresses.ts'
import { type StoredUser, UnexpectedRowCountError } from '../../storage/contract.ts'
import { type BoundStatement, bind } from '../../storage/statement.ts'
import { endAddressTokens } from '../../storage/tokens.ts'
import { findPassword } from '../../storage/users.ts'
import { verifyPurpose } from '../../users/verification-mails.ts'
import { getProof, type LinkInput } from './verify-link.ts'

export const emailVerifiedEvent = auditEvent('email_verified')

export interface Verification extends LinkInput {
  readonly code?: string | undefined
  /** Of whoever is not logged in. */
  readonly password?: string | undefined
}

/**
 * A scanner that follows links and presses buttons has neither session nor password: it proves nothing. Throws `invalid_token`,
 * `invalid_code`, `invalid_credentials`; `login_required`, also in the session of another user: then nothing is used up.
 */
export async function verifyAddress(core: Core, input: Verification, caller: Caller): Promise<'session' | 'password'> {
  if (input.code !== undefined && input.token === undefined && input.flow === undefined) {
    const { user } = requireSession(caller)
    const token = await findTokenByCode(core, verifyPurpose, user.id, input.code)
    if (!token) throw new MembershipError('invalid_code')
    await prove(core, token, [], caller)
    return 'session'
  }
  const { token, flow } = await getProof(core, input, caller)
  const by = await confirmUser(core, token.user, input.password, caller)
  await prove(core, token, flow ? [useFlow(flow)] : [], caller)
  if (flow) await leaveFlow(core, caller)
  return by
}

async function confirmUser(
  core: Core,
  owner: StoredUser,
  password: string | undefined,
  caller: Caller,
): Promise<'session' | 'password'> {
  const user = caller.session?.user
  if (user?.id === owner.id) return 'session'
  if (user || password === undefined) throw new MembershipError('login_required')
  await countProof(core, owner, caller)
  const stored = await core.db.first(findPassword, { userId: owner.id })
  const matches = await core.passwords.verify(stored?.passwordHash, password, caller.priority)
  if (matches && owner.status === 'active') return 'password'
  await audit(core, emailVerifiedEvent, owner.id, caller, matches ? 'suspended' : 'wrong_password')
  throw new MembershipError('invalid_credentials')
}

/** One transaction. Of two users who prove one address at once the later one's link is dead. */
async function prove(core: Core, token: FoundToken, also: readonly BoundStatement[], caller: Caller): Promise<void> {
  const { user, emailKey = '' } = token
  const { id } = user
  const now = core.clock.now()
  try {
    await core.db.transaction([
      useToken(token, now),
      bind(proveAddress, { id, emailKey, now }, { expectRows: 1 }),
      // Whoever registered with it before the owner came keeps nothing of it.
      bind(dropOtherClaims, { id, emailKey }),
      bind(endAddressTokens, { userId: id }),
      auditEntry(core, emailVerifiedEvent, id, caller),
      ...also,
    ])
  } catch (error) {
    throw error instanceof UnexpectedRowCountError ? new MembershipError('invalid_token', { cause: error }) : error
  }
}
