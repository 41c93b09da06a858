// Counts tries to prove who somebody is: by what was typed, and by the user, who may have several names to log in with.
import { MembershipError } from '../domain/errors.ts'
import { readMailAddress } from '../domain/mail-address.ts'
import { canonicalUsername } from '../domain/names.ts'
import type { StoredUser } from '../storage/contract.ts'
import type { Caller } from './caller.ts'
import type { Core } from './core.ts'
import { PROOFS_PER_USER } from './throttle.ts'

/** What was typed at a login, as compared: a username, or an address if it can be one. */
export interface LoginName {
  readonly usernameKey: string
  readonly emailKey: string | undefined
}

export function loginNameOf({ settings }: Pick<Core, 'settings'>, typed: string): LoginName {
  const usernameKey = canonicalUsername(typed)
  const emailKey = settings.email === 'off' ? undefined : readMailAddress(usernameKey)?.key
  return { usernameKey, emailKey }
}

/**
 * Whether a login may be judged; the route has counted what was typed. A name that nobody has counts as much, under an id that nobody has:
 * else a refusal would tell which address belongs to a user whose name is being guessed at.
 */
export async function countLogin(
  core: Core,
  { usernameKey, emailKey }: LoginName,
  user: StoredUser | undefined,
  caller: Caller,
): Promise<boolean> {
  // With usernames alone it would be the same count once more.
  if (core.settings.email === 'off') return true
  try {
    await caller.count(PROOFS_PER_USER, user ? subjectOf(user) : `nobody ${emailKey ?? usernameKey}`)
    return true
  } catch (error) {
    if (error instanceof MembershipError && error.code === 'too_many_requests') return false
    throw error
  }
}

/** A proof of a user who is known. Throws `too_many_requests`. */
export async function countProof(core: Core, user: StoredUser, caller: Caller): Promise<void> {
  await caller.count(PROOFS_PER_USER, canonicalUsername(user.username))
  if (core.settings.email !== 'off') await caller.count(PROOFS_PER_USER, subjectOf(user))
}

/** All names that the tries of a user count under. */
export function proofSubjects(user: StoredUser): readonly string[] {
  const { username, emailKey } = user
  return [canonicalUsername(username), subjectOf(user), ...(emailKey === undefined ? [] : [emailKey])]
}

/** Nobody can type it: a canonical name has no space. */
function subjectOf({ id }: StoredUser): string {
  return `user ${id}`
}
