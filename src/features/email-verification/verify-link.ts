// The proof that a request brings: the token of a client, or the link that was opened in this browser.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { findOpenedLink, type OpenedLink } from '../../core/mailed-link.ts'
import { type FoundToken, findToken } from '../../core/tokens.ts'
import { MembershipError } from '../../domain/errors.ts'
import { verifyPurpose } from '../../users/verification-mails.ts'

export interface LinkInput {
  /** Of a client. */
  readonly token?: string | undefined
  /** Of our page: the number of the flow in which the link was opened. */
  readonly flow?: string | undefined
}

export type LinkProof = Partial<OpenedLink> & { readonly token: FoundToken }

/** Undefined if the link is dead. */
export async function findLink(core: Core, flow: string | undefined, caller: Caller): Promise<OpenedLink | undefined> {
  return flow === undefined ? undefined : findOpenedLink(core, verifyPurpose, flow, caller)
}

/** Throws `invalid_token`. */
export async function getProof(core: Core, { token: typed, flow }: LinkInput, caller: Caller): Promise<LinkProof> {
  if (typed === undefined && flow === undefined)
    throw new MembershipError('invalid_input', { errors: [{ field: 'token', code: 'required' }] })
  if (typed === undefined) {
    const link = await findLink(core, flow, caller)
    if (link) return link
  } else {
    const token = await findToken(core, verifyPurpose, typed)
    if (token) return { token }
  }
  throw new MembershipError('invalid_token')
}
