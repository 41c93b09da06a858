// "Not my account": whoever reads the mails to an address takes it from the account that claims it.
import { auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { credentialsChanged } from '../../core/credentials-changed.ts'
import { leaveFlow, useFlow } from '../../core/flow.ts'
import { MembershipError } from '../../domain/errors.ts'
import { dropClaim } from '../../storage/addresses.ts'
import { UnexpectedRowCountError } from '../../storage/contract.ts'
import { bind } from '../../storage/statement.ts'
import { getProof, type LinkInput } from './verify-link.ts'

export const emailDisownedEvent = auditEvent('email_disowned')

/** The sessions of the account end. Throws `invalid_token`, also if the address was proven meanwhile. */
export async function disownAddress(core: Core, input: LinkInput, caller: Caller): Promise<void> {
  const { token, flow } = await getProof(core, input, caller)
  const { user, emailKey = '' } = token
  const statements = [bind(dropClaim, { id: user.id, emailKey }, { expectRows: 1 }), ...(flow ? [useFlow(flow)] : [])]
  try {
    await credentialsChanged(core, user.id, () => ({ because: emailDisownedEvent, token, statements }), caller)
  } catch (error) {
    const isProven = error instanceof UnexpectedRowCountError && error.statement === dropClaim.name
    throw isProven ? new MembershipError('invalid_token', { cause: error }) : error
  }
  if (flow) await leaveFlow(core, caller)
}
