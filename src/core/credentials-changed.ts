// The only way to change what a login rests on: a password, the status. Ends every session.
import type { Awaitable } from '../domain/awaitable.ts'
import { MembershipError } from '../domain/errors.ts'
import { KeyedMutex } from '../domain/serial-queue.ts'
import { type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { findUserById, raiseEpoch } from '../storage/users.ts'
import { type AuditEvent, auditEntry } from './audit.ts'
import type { Origin } from './caller.ts'
import type { Core } from './core.ts'

export interface Change {
  readonly because: AuditEvent
  readonly statements: readonly BoundStatement[]
}

/** What is to be changed, by the user as read; undefined: nothing. Asked again if the user's credentials changed meanwhile. */
export type ChangeOf = (user: StoredUser) => Awaitable<Change | undefined>

const MAX_TRIES = 5

/** Changes of one user in this process wait for each other, so that only those of other processes use up tries. */
const perUser = new KeyedMutex()

/** One transaction, then the sessions are deleted; one that survives a crash is dead by its epoch. Throws `not_found`; `overloaded` if others were faster each time. */
export function credentialsChanged(core: Core, userId: string, changeOf: ChangeOf, by: Origin): Promise<void> {
  return perUser.take(userId, async () => {
    for (let tries = 1; ; tries++) {
      try {
        return await tryToChange(core, userId, changeOf, by)
      } catch (error) {
        const hasMoved = error instanceof UnexpectedRowCountError && error.statement === raiseEpoch.name
        if (!hasMoved) throw error
        if (tries === MAX_TRIES) throw new MembershipError('overloaded', { retryAfter: 1, cause: error })
      }
    }
  })
}

async function tryToChange(core: Core, id: string, changeOf: ChangeOf, by: Origin): Promise<void> {
  const user = await core.db.first(findUserById, { id })
  if (!user) throw new MembershipError('not_found')
  const change = await changeOf(user)
  if (!change) return
  await core.db.transaction([
    // First: of two changes at once, the later one misses here, and not in a statement of its own.
    bind(raiseEpoch, { id, from: user.credentialEpoch }, { expectRows: 1 }),
    ...change.statements,
    auditEntry(core, change.because, id, by),
  ])
  try {
    await core.db.sessions.deleteByUser(id)
  } catch (error) {
    // The change is made and the epoch has ended them: an error would say that nothing happened.
    core.log.warn({ err: error, userId: id }, 'the sessions of a changed user are dead, but could not be deleted')
  }
}
