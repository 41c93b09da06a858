// A mailed link that was opened: a flow of the browser keeps the hash of its token.
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'
import { beginFlow, type Flow, findFlow } from './flow.ts'
import { type FoundToken, findToken, findTokenByHash, type TokenPurpose } from './tokens.ts'

export interface OpenedLink {
  readonly flow: Flow
  readonly token: FoundToken
}

/**
 * Changes nothing for the token. Returns the number of the flow; undefined if the link is dead: only a token that was mailed makes a row,
 * or anybody could fill the database.
 */
export async function openLink(core: Core, purpose: TokenPurpose, token: string, caller: Caller): Promise<string | undefined> {
  const found = await findToken(core, purpose, token)
  if (!found) return undefined
  return beginFlow(core, { purpose: purpose.name, userId: found.user.id, data: { token: found.hash } }, caller)
}

/** Undefined if the flow is not this browser's or is over, or if the token was used meanwhile. */
export async function findOpenedLink(
  core: Core,
  purpose: TokenPurpose,
  number: string,
  caller: Caller,
): Promise<OpenedLink | undefined> {
  const flow = await findFlow(core, purpose.name, number, caller)
  const token = flow?.data.token === undefined ? undefined : await findTokenByHash(core, purpose, flow.data.token)
  return flow && token && { flow, token }
}
