// The only way to change a password or a status. Ends every session but the one to keep.
import type { Awaitable } from '../domain/awaitable.ts'
import { MembershipError } from '../domain/errors.ts'
import { KeyedMutex } from '../domain/serial-queue.ts'
import { type SessionWithUser, type StoredUser, UnexpectedRowCountError } from '../storage/contract.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import { consumeToken, endTokens } from '../storage/tokens.ts'
import { findUserById, raiseEpoch } from '../storage/users.ts'
import { type AuditEvent, auditEntry } from './audit.ts'
import type { Caller, Origin } from './caller.ts'
import type { Core } from './core.ts'
import type { NewMail } from './mail-kind.ts'
import { mailStatement } from './outbox.ts'
import { continueLogin } from './sign-in.ts'
import { type FoundToken, useToken } from './tokens.ts'

export interface Change {
  readonly because: AuditEvent
  readonly statements: readonly BoundStatement[]
  /** The proof of the change: used up in its transaction. */
  readonly token?: FoundToken | undefined
  /** Mails about it, each to its own address. Without mail none are sent. */
  readonly notifications?: readonly Notification[]
  /** The caller whose session goes on, under a new id. Default: every session ends. */
  readonly keep?: Caller | undefined
}

/** A mail about the user of the change. */
export type Notification = Omit<NewMail, 'user'>

/** Returns the change for the user as read; undefined: none. Called again if the user's credentials changed meanwhile. */
export type ChangeOf = (user: StoredUser) => Awaitable<Change | undefined>

const MAX_TRIES = 5

/** Changes of one user in this process wait for each other, so that only other processes cause retries. */
const perUser = new KeyedMutex()

/**
 * One transaction, then the sessions are deleted; one that survives a crash is dead by its epoch. Returns the session that was kept,
 * if any: its new id is made after the transaction, so a crash in between ends it too. Throws `not_found`; `invalid_token` if its token was used meanwhile; `overloaded` if other changes
 * were faster five times.
 */
export function credentialsChanged(
  core: Core,
  userId: string,
  changeOf: ChangeOf,
  by: Origin,
): Promise<SessionWithUser | undefined> {
  return perUser.take(userId, async () => {
    for (let tries = 1; ; tries++) {
      try {
        return await tryToChange(core, userId, changeOf, by)
      } catch (error) {
        const missed = error instanceof UnexpectedRowCountError ? error.statement : undefined
        if (missed === consumeToken.name) throw new MembershipError('invalid_token', { cause: error })
        const hasMoved = missed === raiseEpoch.name
        if (!hasMoved) throw error
        if (tries === MAX_TRIES) throw new MembershipError('overloaded', { retryAfter: 1, cause: error })
      }
    }
  })
}

async function tryToChange(core: Core, id: string, changeOf: ChangeOf, by: Origin): Promise<SessionWithUser | undefined> {
  const user = await core.db.first(findUserById, { id })
  if (!user) throw new MembershipError('not_found')
  const change = await changeOf(user)
  if (!change) return undefined
  const changed = { ...user, credentialEpoch: user.credentialEpoch + 1 }
  const { token, notifications = [] } = change
  const mails = core.mailer ? notifications.map((mail) => mailStatement(core, { ...mail, user: changed })) : []
  await core.db.transaction([
    // First, so that the later of two concurrent changes fails here and not in a statement of its own.
    bind(raiseEpoch, { id, from: user.credentialEpoch }, { expectRows: 1 }),
    ...(token ? [useToken(token, core.clock.now())] : []),
    ...change.statements,
    bind(endTokens, { userId: id }),
    auditEntry(core, change.because, id, by),
    ...mails,
  ])
  if (mails.length > 0) core.outbox.ring()
  // The change is made, and the epoch has ended every session: an error from here on would be misleading.
  const kept = change.keep && (await keepSession(core, changed, change.keep))
  try {
    await deleteEnded(core, changed)
  } catch (error) {
    core.log.warn({ err: error, userId: id }, 'the sessions of a changed user are dead, but could not be deleted')
  }
  return kept
}

/** One that began with these credentials meanwhile, or with newer ones, goes on. */
async function deleteEnded(core: Core, { id, credentialEpoch }: StoredUser): Promise<void> {
  const sessions = await core.db.sessions.listByUser(id)
  const ended = sessions.filter((session) => (session.credentialEpoch ?? 0) < credentialEpoch).map(({ hash }) => hash)
  if (ended.length > 0) await core.db.sessions.delete(ended)
}

/** Undefined if the session cannot go on: then the person logs in again. */
async function keepSession(core: Core, user: StoredUser, caller: Caller): Promise<SessionWithUser | undefined> {
  const { session } = caller
  if (!session) return undefined
  try {
    return await continueLogin(core, user, session, caller)
  } catch (error) {
    const endedMeanwhile = error instanceof MembershipError && error.code === 'login_required'
    if (!endedMeanwhile)
      core.log.warn({ err: error, userId: user.id }, 'the session of somebody who changed their credentials could not go on')
    return undefined
  }
}
