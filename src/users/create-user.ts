// Makes an account. The visitor who registers and the operator at the command line end here.
import { auditEntry } from '../core/audit.ts'
import type { Caller, Core } from '../core/core.ts'
import { asUser } from '../core/user.ts'
import { type FieldError, MembershipError } from '../domain/errors.ts'
import { passwordIssue } from '../domain/password-policy.ts'
import { newId } from '../domain/secret.ts'
import { canonicalUsername, displayNameIssue, isRoleName, tidyDisplayName, usernameIssue } from '../domain/user.ts'
import { isCommonPassword } from '../passwords/common.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { findUserByKey, insertPassword, insertUser, setLocale } from '../storage/users.ts'

export interface NewUser {
  readonly username: string
  readonly password: string
  readonly displayName?: string | undefined
  readonly roles?: readonly string[] | undefined
}

/** Throws `invalid_input` with every fault at once, or `username_taken`. Nothing is written before the password is hashed. */
export async function createUser(
  core: Core,
  input: NewUser,
  from: Pick<Caller, 'ip' | 'userAgent' | 'language'>,
): Promise<StoredUser> {
  refuseFaults(core, input)
  const displayName = tidyDisplayName(input.displayName ?? '')

  const usernameKey = canonicalUsername(input.username)
  if (await core.db.first(findUserByKey, { usernameKey })) throw new MembershipError('username_taken')
  const hash = await core.passwords.hash(input.password)

  const now = core.clock.now()
  const user: StoredUser = {
    id: newId(),
    username: input.username,
    displayName: displayName === '' ? input.username : displayName,
    status: 'active',
    credentialEpoch: 1,
    roles: input.roles ?? [],
    createdAt: now,
    locale: from.language,
  }
  try {
    await core.db.transaction([
      bind(insertUser, { ...pick(user), usernameKey, roles: JSON.stringify(user.roles), now }, { expectRows: 1 }),
      bind(insertPassword, { id: newId(), userId: user.id, hash, now }),
      // Who chose a language before they registered finds it in their next browser too.
      ...(from.language === undefined ? [] : [bind(setLocale, { id: user.id, locale: from.language }, { expectRows: 1 })]),
      auditEntry(core, 'registered', 'success', user.id, from),
    ])
  } catch (error) {
    // Somebody else was faster with the same name: the insert touched no row.
    if (error instanceof UnexpectedRowCountError) throw new MembershipError('username_taken')
    throw error
  }
  core.events.emit('registered', { user: asUser(user) })
  return user
}

/** Throws `invalid_input` with every fault of a new user at once. */
export function refuseFaults(core: Core, input: NewUser): void {
  const errors = faults(core, input, tidyDisplayName(input.displayName ?? ''))
  if (errors.length > 0) throw new MembershipError('invalid_input', { errors })
}

function pick({ id, username, displayName }: StoredUser) {
  return { id, username, displayName }
}

function faults(core: Core, input: NewUser, displayName: string): FieldError[] {
  const errors: FieldError[] = []
  const name = usernameIssue(input.username)
  if (name) errors.push({ field: 'username', ...name })
  const display = displayNameIssue(displayName)
  if (display) errors.push({ field: 'displayName', ...display })
  const password = passwordIssue(input.password, {
    minLength: core.settings.passwordMinLength,
    context: [input.username, core.settings.siteName],
    isCommon: isCommonPassword,
  })
  if (password) errors.push({ field: 'password', ...password })
  if (!(input.roles ?? []).every(isRoleName)) errors.push({ field: 'roles', code: 'bad_characters' })
  return errors
}
