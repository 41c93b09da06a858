// The only way to a new user: for registration, the application and the operator.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { askHook } from '../domain/hooks.ts'
import { newId } from '../domain/secret.ts'
import { toUser } from '../domain/user.ts'
import type { Priority } from '../passwords/pool.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { displayNameOf, findUserByKey, insertPassword, insertUser, setLocale } from '../storage/users.ts'
import { checkNewUser, type NewUser } from './check-new-user.ts'

export const registeredEvent = auditEvent('registered')

interface Registrant extends Origin {
  readonly priority?: Priority
}

/** Throws `invalid_input` or `username_taken`; to a visitor also `registration_closed`, and `refused` by the hook. Nothing is written before the hash. */
export async function createUser(core: Core, input: NewUser, by: Registrant): Promise<StoredUser> {
  const { ip, userAgent, locale } = by
  const isVisitor = by.actor === undefined
  if (isVisitor) refuseIfClosed(core)
  const { username, usernameKey, displayName, roles, password } = checkNewUser(core.settings, input)
  if (isVisitor) await askHook(() => core.hooks.beforeRegister?.({ username, displayName: input.displayName, ip, userAgent }))
  if (await core.db.first(findUserByKey, { usernameKey })) throw new MembershipError('username_taken')
  const hash = password === undefined ? undefined : await core.passwords.hash(password, by.priority)

  const id = newId()
  const now = core.clock.now()
  await takeUsername(
    core,
    bind(insertUser, { id, username, usernameKey, displayName, roles: JSON.stringify(roles), now }, { expectRows: 1 }),
    ...(hash === undefined ? [] : [bind(insertPassword, { id: newId(), userId: id, hash, now })]),
    // A language chosen before the registration also applies in the next browser.
    ...(locale === undefined ? [] : [bind(setLocale, { id, locale }, { expectRows: 1 })]),
    auditEntry(core, registeredEvent, id, by),
  )
  const user: StoredUser = {
    id,
    username,
    displayName: displayNameOf(username, displayName),
    status: 'active',
    credentialEpoch: 1,
    roles,
    createdAt: now,
    locale,
    email: undefined,
    emailKey: undefined,
    emailVerified: false,
    isUndeliverable: false,
  }
  core.events.emit('registered', { user: toUser(user) })
  return user
}

/** Runs a transaction that gives a user a name. Throws `username_taken` if another user has it: then the first statement touches no row. */
export async function takeUsername(core: Core, first: BoundStatement, ...others: readonly BoundStatement[]): Promise<void> {
  try {
    await core.db.transaction([first, ...others])
  } catch (error) {
    const isTaken = error instanceof UnexpectedRowCountError && error.statement === first.name
    throw isTaken ? new MembershipError('username_taken') : error
  }
}

export function refuseIfClosed(core: Core): void {
  if (core.settings.registration === 'closed') throw new MembershipError('registration_closed')
}
