// What every database gives: reads, transactions, leases, and the sessions joined with their users.

import type { Awaitable } from '../domain/awaitable.ts'
import type { UserStatus } from '../domain/user.ts'
import type { SessionRow, SessionStore } from '../session/store.ts'
import type { BoundStatement, Statement, StatementValues } from './statement.ts'

export { UnexpectedRowCountError } from '../database/transaction.ts'

export interface Database {
  /** The membership's sessions; `find` returns the user with the same read. */
  readonly sessions: SessionStore<SessionWithUser>
  /** The counters of the throttle. */
  readonly counters: Counters
  /** The current account of a user, for sessions that are stored elsewhere. */
  findUser(id: string): Awaitable<StoredUser | undefined>
  all<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<readonly R[]>
  first<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<R | undefined>
  /** Writes one statement; returns the rows of its RETURNING. Survives a crash of the process, not always a power cut. */
  write<P extends StatementValues, R>(statement: Statement<P, R>, values: P): Awaitable<readonly R[]>
  /**
   * A list of statements: all or none, on disk before it answers. One that touches another number of rows than it said
   * rolls everything back and throws `UnexpectedRowCountError`, which names it. None uses another's result.
   */
  transaction(statements: readonly BoundStatement[]): Promise<void>
  /** Whether this holder has the lease of that name until then: it was free, over, or its own. In SQL even if sessions are in Redis. */
  lease(name: string, holder: string, now: number, until: number): Awaitable<boolean>
  /** Migrates the schema; two processes may call it at once. Throws if the schema is newer than the program. */
  migrate(): Promise<void>
  /** Resolves if the database answers and has this program's schema. */
  check(): Promise<void>
  /** Resolves if all stores that requests need answer: the one of `check`, and Redis if it has the sessions. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** The throttle's counters: the state of each is a text, shared by all processes, which `core/counter-state.ts` reads. */
export interface Counters {
  find(key: string): Awaitable<string | undefined>
  /** Replaces the state atomically if it is still `from`; `undefined`: there was none. After `expiresAt` the state no longer counts. */
  swap(key: string, from: string | undefined, to: string, expiresAt: number): Awaitable<boolean>
  /** Deletes counters that have expired, at most `limit`, and returns how many. */
  deleteExpired(now: number, limit: number): Awaitable<number>
}

/** A user as every request sees them. */
export interface StoredUser {
  readonly id: string
  readonly username: string
  readonly displayName: string
  readonly status: UserStatus
  readonly credentialEpoch: number
  readonly roles: readonly string[]
  readonly createdAt: number
  /** The language that the person chose; this program may not have it. */
  readonly locale: string | undefined
  /** As typed. */
  readonly email: string | undefined
  /** As compared. */
  readonly emailKey: string | undefined
  readonly emailVerified: boolean
  /** Whether a mail server refused the address for good. */
  readonly isUndeliverable: boolean
  /** Whether the user came back after the registration: a later login, or a request a day later. */
  readonly isUsed: boolean
}

/** A session with its user, read together. */
export interface SessionWithUser extends SessionRow {
  readonly user: StoredUser | undefined
}
