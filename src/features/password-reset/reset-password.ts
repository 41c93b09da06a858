// Sets a new password by the token of a mailed link.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { leaveFlow, useFlow } from '../../core/flow.ts'
import { findOpenedLink, type OpenedLink } from '../../core/mailed-link.ts'
import { type FoundToken, findToken } from '../../core/tokens.ts'
import { MembershipError } from '../../domain/errors.ts'
import { finishRecovery, isRecoverable } from '../../users/finish-recovery.ts'
import { newPasswordIssue } from '../../users/new-password-issue.ts'
import { resetPurpose } from '../../users/recovery-mails.ts'

export interface NewPassword {
  /** Of a client. */
  readonly token?: string | undefined
  /** Of our page: the number of the flow in which the link was opened. */
  readonly flow?: string | undefined
  readonly password: string
}

/** Logs nobody in. Throws `invalid_token`; `invalid_input` for a password that is refused, which does not use the token up. */
export async function resetPassword(core: Core, input: NewPassword, caller: Caller): Promise<void> {
  const { token, flow } = await findProof(core, input, caller)
  const { user } = token
  const issue = newPasswordIssue(core.settings, input.password, user)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'password', ...issue }] })
  const hash = await core.passwords.hash(input.password, caller.priority)
  await finishRecovery(core, token, hash, flow ? [useFlow(flow)] : [], caller)
  if (flow) await leaveFlow(core, caller)
}

/** For the page: undefined if the link is dead, which it says before anybody has thought of a password. */
export async function findResetLink(core: Core, flow: string | undefined, caller: Caller): Promise<OpenedLink | undefined> {
  const link = flow === undefined ? undefined : await findOpenedLink(core, resetPurpose, flow, caller)
  return link && (await isRecoverable(core, link.token)) ? link : undefined
}

async function findProof(
  core: Core,
  { token: typed, flow }: NewPassword,
  caller: Caller,
): Promise<Partial<OpenedLink> & { readonly token: FoundToken }> {
  if (typed === undefined && flow === undefined)
    throw new MembershipError('invalid_input', { errors: [{ field: 'token', code: 'required' }] })
  const token = typed === undefined ? undefined : await findToken(core, resetPurpose, typed)
  const proof = typed === undefined ? await findResetLink(core, flow, caller) : token && { token }
  if (!proof || !(await isRecoverable(core, proof.token))) throw new MembershipError('invalid_token')
  return proof
}
