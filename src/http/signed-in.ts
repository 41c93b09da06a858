// The answer to every successful login.
import type { z } from 'zod'
import type { SignInResult } from '../core/sign-in.ts'
import { toJson, toUser } from '../domain/user.ts'
import type { Answer } from './action-types.ts'
import type { RequestContext } from './request-context.ts'
import { localPath } from './return-to.ts'
import type { UserBody } from './shapes.ts'

export function signedIn(
  { user }: SignInResult,
  { http }: RequestContext,
  { returnTo }: { readonly returnTo?: string | undefined },
): Answer<z.output<typeof UserBody>> {
  return { body: { user: toJson(toUser(user)) }, to: localPath(returnTo) ?? http.home }
}
