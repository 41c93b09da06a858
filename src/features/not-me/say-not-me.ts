// Acts on a "this was not me" link: by the flow in which it was opened, or by its token.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { leaveFlow, useFlow } from '../../core/flow.ts'
import { findOpenedLink, type OpenedLink } from '../../core/mailed-link.ts'
import { findToken } from '../../core/tokens.ts'
import { MembershipError } from '../../domain/errors.ts'
import { endIntrusion } from '../../users/end-intrusion.ts'
import { notMePurpose } from '../../users/not-me-link.ts'

interface NotMe {
  /** Of a client. */
  readonly token?: string | undefined
  /** Of our page. */
  readonly flow?: string | undefined
}

/** Throws `invalid_token`. */
export async function sayNotMe(core: Core, { token: typed, flow: number }: NotMe, caller: Caller): Promise<void> {
  if (typed === undefined && number === undefined)
    throw new MembershipError('invalid_input', { errors: [{ field: 'token', code: 'required' }] })
  const link = typed === undefined ? await findNotMeLink(core, number, caller) : undefined
  const token = typed === undefined ? link?.token : await findToken(core, notMePurpose, typed)
  if (!token) throw new MembershipError('invalid_token')
  await endIntrusion(core, token, link ? [useFlow(link.flow)] : [], caller)
  if (link) await leaveFlow(core, caller)
}

export async function findNotMeLink(core: Core, flow: string | undefined, caller: Caller): Promise<OpenedLink | undefined> {
  return flow === undefined ? undefined : findOpenedLink(core, notMePurpose, flow, caller)
}
