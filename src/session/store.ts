// The contract of a session store, and its laws. `sessionStoreSuite` in guildhall/testing proves them for any store.
import type { Awaitable } from '../domain/awaitable.ts'
import type { Clock } from '../domain/clock.ts'
import type { SessionLimits } from '../domain/session-lifetime.ts'

/** One session at rest. Times are milliseconds since 1970 UTC. */
export interface SessionRow {
  /** SHA-256 of the id, base64url: a stolen row cannot be replayed as a cookie. */
  readonly hash: string
  /** Names the session in lists. No secret, not usable as a cookie. */
  readonly publicId: string
  /**
   * What the application put into `req.session`: the JSON text of an object whose values are themselves JSON texts,
   * `{"views":"3","cart":"[1,2]"}`. As every value is a string, a merge patch (RFC 7396) replaces whole keys.
   */
  readonly data: string
  readonly createdAt: number
  readonly lastSeenAt: number
  /** The idle timeout of this session, in milliseconds; 0 once it was retired: it can be read until it expires, and nothing else. */
  readonly idleMs: number
  /** When it ends if nobody comes back. */
  readonly expiresAt: number
  /** When it ends whatever happens. */
  readonly endsAt: number
  /** Whether the cookie outlives the browser ("remember me"). */
  readonly persistent: boolean
  /** Who is logged in. These four are the login, written only when a session is created. */
  readonly userId: string | undefined
  readonly credentialEpoch: number | undefined
  /** The factors that were proven, separated by spaces: `password`. */
  readonly factors: string | undefined
  readonly authenticatedAt: number | undefined
  /** Where the login came from. */
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/** Nobody needs to see more sessions of one user; who has more is answered with the newest. */
export const MOST_LISTED = 100

/** Changed keys with their JSON text; `null` takes the key out. */
export type SessionPatch = Readonly<Record<string, string | null>>

/** That a session was seen, until when it lives if nobody comes back, and, where they change, its limits. */
export interface SessionSeen {
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly limits?: { readonly idleMs: number; readonly endsAt: number; readonly persistent: boolean } | undefined
}

/**
 * Keeps sessions. There is no upsert, on purpose: a session that was deleted cannot come back.
 *
 * Laws, for any number of processes on one store:
 * 1. `create` inserts; it throws where the hash exists.
 * 2. `update` and `touch` change a row only where it exists, and say whether it did. They never make one.
 * 3. `update` replaces or removes exactly the keys of its patch, atomically: concurrent patches of different keys are all kept, of one key the last wins.
 * 4. After `delete` or `deleteByUser` has answered, `find` answers undefined for that hash, for ever.
 * 5. `touch` never moves `lastSeenAt` or `expiresAt` back; only with `limits`, which replace those of the row, may a session end earlier.
 * 6. `find` returns what was written, expired or not: who reads judges. Where the store itself takes out what has expired, that may be gone.
 * 7. `sweep` deletes only what has expired at `now`, at most `limit` rows, and says how many.
 * 8. `update` with `unchangedFrom` changes a row only where its data is still that text, to the letter; of parallel ones, one succeeds.
 * 9. `retire` makes a row that nobody can write or touch any more and that expires at `until`, unless it would sooner. It retires once.
 */
export interface SessionStore<Row extends SessionRow = SessionRow> {
  create(row: SessionRow): Awaitable<void>
  find(hash: string): Awaitable<Row | undefined>
  update(hash: string, patch: SessionPatch, options?: { readonly unchangedFrom?: string | undefined }): Awaitable<boolean>
  touch(hash: string, seen: SessionSeen): Awaitable<boolean>
  supersede(hash: string, until: number): Awaitable<boolean>
  delete(hash: string): Awaitable<boolean>
  /** The sessions of one user, the last seen first, of those seen together the newest; at most `MOST_LISTED`. */
  listByUser(userId: string): Awaitable<readonly SessionRow[]>
  /** Deletes a user's sessions, all or all but one; says how many. */
  deleteByUser(userId: string, options?: { readonly except?: string | undefined }): Awaitable<number>
  deleteExpired(now: number, limit: number): Awaitable<number>
  close(): Awaitable<void>
  /** Optional: whether this process is the one that sweeps, until then. Without it every process sweeps. */
  acquireCleanupLease?(now: number, until: number): Awaitable<boolean>
  /** Optional, for `req.sessionStore`: sessions that have not expired at `now`, at most `limit`; how many there are; and the end of all. */
  all?(now: number, limit: number): Awaitable<readonly SessionRow[]>
  count?(now: number): Awaitable<number>
  clear?(): Awaitable<void>
  /** The key of an id. Default: SHA-256, base64url. Only a store that adopts rows of others has another one. */
  keyOf?(id: string): string
  /** Hears once with which limits and clock its middleware works. For stores that judge rows which somebody else wrote. */
  attach?(middleware: { readonly limits: SessionLimits; readonly clock: Clock }): void
}
