// A person changes what the site calls them, and in which language it speaks.
import { auditEntry, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import { MembershipError } from '../../domain/errors.ts'
import { displayNameIssue, tidyDisplayName } from '../../domain/names.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { bind } from '../../storage/statement.ts'
import { setDisplayName, setLocale } from '../../storage/users.ts'

export const profileChangedEvent = auditEvent('profile_changed', { quiet: true })

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
  await core.db.transaction([...changes, auditEntry(core, profileChangedEvent, id, caller)])
  return { ...user, displayName: displayName ?? user.displayName, locale: locale ?? user.locale }
}

function displayNameFrom(text: string, user: StoredUser): string {
  const tidied = tidyDisplayName(text)
  const issue = displayNameIssue(tidied)
  if (issue) throw new MembershipError('invalid_input', { errors: [{ field: 'displayName', ...issue }] })
  return tidied === '' ? user.username : tidied
}
