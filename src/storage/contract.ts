// What every database gives: reads, transactions, leases, and the sessions joined with their users.

import type { Awaitable } from '../domain/awaitable.ts'
import type { UserStatus } from '../domain/user.ts'
import type { SessionRow, SessionStore } from '../session/store.ts'
import type { BoundStatement, Statement, StatementValues } from './statement.ts'

export { UnexpectedRowCountError } from '../database/transaction.ts'

export interface Database {
  /** The membership's sessions; `find` brings the user along in the same read. */
  readonly sessions: SessionStore<SessionWithUser>
  /** What the throttle counts in. */
  readonly counters: Counters
  /** Somebody's account as it is now. For requests of sessions that live elsewhere. */
  findUser(id: string): Awaitable<StoredUser | undefined>
  all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<readonly R[]>
  first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<R | undefined>
  /** One write by itself; answers the rows of its RETURNING. Survives the death of the process, not always a power cut. */
  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<readonly R[]>
  /**
   * A list of statements: all or none, on disk before it answers. One that touches another number of rows than it said
   * rolls everything back and throws `UnexpectedRowCountError`, which names it. None uses another's result.
   */
  transaction(statements: readonly BoundStatement[]): Promise<void>
  /** Whether this holder has the lease of that name until then: it was free, over, or its own. In SQL also where sessions are in Redis. */
  lease(name: string, holder: string, now: number, until: number): Awaitable<boolean>
  /** Brings the schema up to date; two processes may call it at once. Throws where the schema is newer than the program. */
  migrate(): Promise<void>
  /** Resolves where the database answers and has the schema of this program. */
  check(): Promise<void>
  /** Resolves where everything that requests need answers: what `check` looks at, and Redis where sessions live there. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** Counters that throttle: the state of each is a text, shared by every process. What is in it, `core/counter-state.ts` knows. */
export interface Counters {
  find(key: string): Awaitable<string | undefined>
  /** Replaces the state, atomically and only where it is still `from`; `undefined`: there was none. `expiresAt`: when nothing of it counts any more. */
  swap(key: string, from: string | undefined, to: string, expiresAt: number): Awaitable<boolean>
  /** Deletes counters of which nothing counts any more, at most `limit`, and says how many. */
  deleteExpired(now: number, limit: number): Awaitable<number>
}

/** Somebody's account as every request sees it. */
export interface StoredUser {
  readonly id: string
  readonly username: string
  readonly displayName: string
  readonly status: UserStatus
  readonly credentialEpoch: number
  readonly roles: readonly string[]
  readonly createdAt: number
  /** The language that the person chose; may be one that this program does not have. */
  readonly locale: string | undefined
}

/** A session with its user, read at once. */
export interface SessionWithUser extends SessionRow {
  readonly user: StoredUser | undefined
}
