// Changes the display name and the language of a user.
import { auditEntry, auditEvent } from '../../core/audit.ts'
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { requireSession } from '../../core/live-session.ts'
import type { StoredUser } from '../../storage/contract.ts'
import { bind } from '../../storage/statement.ts'
import { setLocale } from '../../storage/users.ts'
import { newDisplayName } from '../../users/display-name.ts'

export const profileChangedEvent = auditEvent('profile_changed', { hidden: true })

export interface ProfileChange {
  /** Empty: the username. Undefined: unchanged. */
  readonly displayName?: string | undefined
  /** Undefined: unchanged. */
  readonly locale?: string | undefined
}

export async function changeProfile(core: Core, input: ProfileChange, caller: Caller): Promise<StoredUser> {
  const { user } = requireSession(caller)
  const { id } = user
  const name = input.displayName === undefined ? undefined : newDisplayName(core, user, input.displayName)
  const { locale } = input
  const changes = [
    ...(name ? [name.statement] : []),
    ...(locale === undefined || locale === user.locale ? [] : [bind(setLocale, { id, locale }, { expectRows: 1 })]),
  ]
  if (changes.length === 0) return user
  await core.db.transaction([...changes, auditEntry(core, profileChangedEvent, id, caller)])
  return { ...user, displayName: name?.displayName ?? user.displayName, locale: locale ?? user.locale }
}
