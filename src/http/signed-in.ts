// The answer of every way in.
import type { z } from 'zod'
import { asJson } from '../core/user.ts'
import type { UserRow } from '../storage/contract.ts'
import type { Answer } from './action-types.ts'
import type { RequestContext } from './request-context.ts'
import { localPath } from './return-to.ts'
import type { UserBody } from './shapes.ts'

export function signedIn(
  user: UserRow,
  { http }: RequestContext,
  { returnTo }: { readonly returnTo?: string | undefined },
): Answer<z.output<typeof UserBody>> {
  return { body: { user: asJson(user) }, to: localPath(returnTo) ?? http.home }
}
