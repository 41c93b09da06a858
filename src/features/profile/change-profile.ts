// A person changes what the site calls them, and in which language it speaks.
import { auditEntry } from '../../core/audit.ts'
import type { Caller, Core } from '../../core/core.ts'
import { requireSession } from '../../core/require-session.ts'
import { MembershipError } from '../../domain/errors.ts'
import { displayNameIssue, tidyDisplayName } from '../../domain/user.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { bind } from '../../storage/statement.ts'
import { setDisplayName, setLocale } from '../../storage/users.ts'

export interface ProfileChange {
  /** Empty: the username again. Missing: as it was. */
  readonly displayName?: string | undefined
  /** Missing: as it was. */
  readonly locale?: string | undefined
}

export async function changeProfile(core: Core, input: ProfileChange, caller: Caller): Promise<StoredUser> {
  const { user } = requireSession(caller)
  const { id } = user
  const displayName = input.displayName === undefined ? undefined : displayNameFrom(input.displayName, user)
  const { locale } = input
  const changes = [
    ...(displayName === undefined || displayName === user.displayName
      ? []
      : [bind(setDisplayName, { id, displayName }, { expectRows: 1 })]),
    ...(locale === undefined || locale === user.locale ? [] : [bind(setLocale, { id, locale }, { expectRows: 1 })]),
  ]
  if (changes.length === 0) return user
  await core.db.transaction([...changes, auditEntry(core, 'profile_changed', 'success', id, caller)])
  return { ...user, displayName: displayName ?? user.displayName, locale: locale ?? user.locale }
}

function displayNameFrom(text: string, user: StoredUser): string {
  const tidied = tidyDisplayName(text)
  const fault = displayNameIssue(tidied)
  if (fault) throw new MembershipError('invalid_input', { errors: [{ field: 'displayName', ...fault }] })
  return tidied === '' ? user.username : tidied
}
