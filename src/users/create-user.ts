// The only way to a new user: for registration, the application and the operator.
import { auditEntry, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { requestStatement } from '../core/outbox.ts'
import { MembershipError } from '../domain/errors.ts'
import { askHook } from '../domain/hooks.ts'
import { newId } from '../domain/secret.ts'
import { toUser } from '../domain/user.ts'
import type { Priority } from '../passwords/pool.ts'
import { dropOtherClaims, proveAddress } from '../storage/addresses.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { displayNameOf, findUserByKey, insertPassword, insertUser, setLocale } from '../storage/users.ts'
import { checkNewUser, type NewUser } from './check-new-user.ts'
import { verifyRequest } from './verification.ts'

export const registeredEvent = auditEvent('registered')

interface Registrant extends Origin {
  readonly priority?: Priority
}

/** Throws `invalid_input` or `username_taken`; to a visitor also `registration_closed`, and `refused` by the hook. Nothing is written before the hash. */
export async function createUser(core: Core, input: NewUser, by: Registrant): Promise<StoredUser> {
  const { ip, userAgent, locale } = by
  const isVisitor = by.actor === undefined
  if (isVisitor) refuseIfClosed(core)
  const { username, usernameKey, displayName, roles, password, email, emailVerified } = checkNewUser(core.settings, input)
  if (isVisitor) await askHook(() => core.hooks.beforeRegister?.({ username, displayName: input.displayName, ip, userAgent }))
  if (await core.db.first(findUserByKey, { usernameKey })) throw new MembershipError('username_taken')
  const hash = password === undefined ? undefined : await core.passwords.hash(password, by.priority)

  const id = newId()
  const now = core.clock.now()
  const row = { id, username, usernameKey, displayName, roles: JSON.stringify(roles), now }
  await takeUsername(
    core,
    bind(insertUser, { ...row, email: email?.address, emailKey: email?.key }, { expectRows: 1 }),
    ...(email ? addressStatements(core, { id, emailKey: email.key, emailVerified }, by) : []),
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
    email: email?.address,
    emailKey: email?.key,
    emailVerified,
    isUndeliverable: false,
    isUsed: false,
  }
  core.events.emit('registered', { user: toUser(user) })
  return user
}

interface NewAddress {
  readonly id: string
  readonly emailKey: string
  readonly emailVerified: boolean
}

/** A claim writes the same, whoever else has the address. */
function addressStatements(core: Core, { id, emailKey, emailVerified }: NewAddress, by: Origin): readonly BoundStatement[] {
  if (emailVerified)
    return [
      bind(proveAddress, { id, emailKey, now: core.clock.now() }, { expectRows: 1 }),
      bind(dropOtherClaims, { id, emailKey }),
    ]
  return core.mailer ? [requestStatement(core, verifyRequest, id, by)] : []
}

/** Runs a transaction that gives a user a name. Throws `username_taken` if another user has it: then the first statement touches no row. */
export async function takeUsername(core: Core, first: BoundStatement, ...others: readonly BoundStatement[]): Promise<void> {
  try {
    await core.db.transaction([first, ...others])
  } catch (error) {
    const missed = error instanceof UnexpectedRowCountError ? error.statement : undefined
    if (missed === first.name) throw new MembershipError('username_taken')
    // To operators alone: a visitor proves nothing here.
    if (missed === proveAddress.name) throw new MembershipError('invalid_input', { errors: [{ field: 'email', code: 'taken' }] })
    throw error
  }
}

export function refuseIfClosed(core: Core): void {
  if (core.settings.registration === 'closed') throw new MembershipError('registration_closed')
}
