// Checks a new user's input, and reports every fault before anything is hashed or written.
import { type FieldError, MembershipError } from '../domain/errors.ts'
import { readMailAddress } from '../domain/mail-address.ts'
import { canonicalUsername, displayNameIssue, isRoleName, tidyDisplayName, tidyUsername, usernameIssue } from '../domain/names.ts'
import type { Settings } from '../settings/options.ts'
import { newPasswordIssue } from './new-password-issue.ts'

export interface NewUser {
  readonly username: string
  /** Default: none; only `req.login` can then log the user in. */
  readonly password?: string | undefined
  /** Default: the username. */
  readonly displayName?: string | undefined
  readonly roles?: readonly string[] | undefined
  /** The mail address. Several users may name one; only who proves it logs in with it. Default: none. */
  readonly email?: string | undefined
  /** Whether you know that the address is theirs. Default: false, and a mail asks for the proof. */
  readonly emailVerified?: boolean | undefined
}

/** Throws `invalid_input` with every fault at once. */
export function checkNewUser(
  settings: Pick<Settings, 'passwords' | 'siteName'>,
  { username: typed, password, displayName: chosen = '', roles = [], email: typedEmail = '', emailVerified = false }: NewUser,
) {
  const { siteName } = settings
  const username = tidyUsername(typed)
  const displayName = tidyDisplayName(chosen)
  const errors: FieldError[] = []
  const name = usernameIssue(username, siteName)
  if (name) errors.push({ field: 'username', ...name })
  const display = displayNameIssue(displayName, siteName)
  if (display) errors.push({ field: 'displayName', ...display })
  const secret = password === undefined ? undefined : newPasswordIssue(settings, password, { username, email: typedEmail })
  if (secret) errors.push({ field: 'password', ...secret })
  if (!roles.every(isRoleName)) errors.push({ field: 'roles', code: 'bad_characters' })
  const hasEmail = typedEmail.trim() !== ''
  const email = hasEmail ? readMailAddress(typedEmail) : undefined
  if (hasEmail && !email) errors.push({ field: 'email', code: 'not_an_address' })
  if (emailVerified && !hasEmail) errors.push({ field: 'email', code: 'required' })
  if (errors.length > 0) throw new MembershipError('invalid_input', { errors })
  return { username, usernameKey: canonicalUsername(username), password, displayName, roles, email, emailVerified }
}
