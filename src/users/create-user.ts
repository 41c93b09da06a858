// The only way to a new user: the visitor who registers, the application and the operator end here.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { askHook } from '../domain/hooks.ts'
import { newId } from '../domain/secret.ts'
import { toUser } from '../domain/user.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { bind } from '../storage/statement.ts'
import { findUserByKey, insertPassword, insertUser, setLocale } from '../storage/users.ts'
import { checkNewUser, type NewUser } from './check-new-user.ts'

export const registeredEvent = auditEvent('registered')

/**
 * Throws `invalid_input` with every fault at once, or `username_taken`; to a visitor also `registration_closed`, and `refused` by the
 * hook. Nothing is written before the password is hashed.
 */
export async function createUser(core: Core, input: NewUser, by: Origin): Promise<StoredUser> {
  const isVisitor = by.actor === undefined
  if (isVisitor) refuseIfClosed(core)
  const checked = checkNewUser(core, input)
  if (isVisitor) await askBeforeRegister(core, input, by)
  const { username, usernameKey, displayName, roles, password } = checked
  if (await core.db.first(findUserByKey, { usernameKey })) throw new MembershipError('username_taken')
  const hash = password === undefined ? undefined : await core.passwords.hash(password)

  const id = newId()
  const now = core.clock.now()
  const { locale } = by
  try {
    await core.db.transaction([
      bind(insertUser, { id, username, usernameKey, displayName, roles: JSON.stringify(roles), now }, { expectRows: 1 }),
      ...(hash === undefined ? [] : [bind(insertPassword, { id: newId(), userId: id, hash, now })]),
      // Who chose a language before they registered finds it in their next browser too.
      ...(locale === undefined ? [] : [bind(setLocale, { id, locale }, { expectRows: 1 })]),
      auditEntry(core, registeredEvent, id, by),
    ])
  } catch (error) {
    // Somebody else was faster with the same name: the insert touched no row.
    if (error instanceof UnexpectedRowCountError) throw new MembershipError('username_taken')
    throw error
  }
  const user: StoredUser = { id, username, displayName, status: 'active', credentialEpoch: 1, roles, createdAt: now, locale }
  core.events.emit('registered', { user: toUser(user) })
  return user
}

export function refuseIfClosed(core: Core): void {
  if (core.settings.registration === 'closed') throw new MembershipError('registration_closed')
}

async function askBeforeRegister(core: Core, { username, displayName }: NewUser, { ip, userAgent }: Origin): Promise<void> {
  await askHook(() => core.hooks.beforeRegister?.({ username, displayName, ip, userAgent }))
}
