// The contract of a session store, in small parts; `sessionStoreSuite` tests any store by it.
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
  /** Raised by each update, so that a change is noticed: the texts cannot be compared, as PostgreSQL reorders JSON. */
  readonly revision: number
  readonly createdAt: number
  readonly lastSeenAt: number
  /** The idle timeout of this session, in milliseconds; 0 once it was superseded: it can be read until it expires, and nothing else. */
  readonly idleMs: number
  /** When it ends if nobody comes back. */
  readonly expiresAt: number
  /** When it ends even if it is used. */
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

/** Changed keys with their JSON text; `null` takes the key out. */
export type SessionPatch = Readonly<Record<string, string | null>>

/** When a session was seen, until when it lives if nobody comes back, and, if they change, its limits. */
export interface SessionSeen {
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly limits?: { readonly idleMs: number; readonly endsAt: number; readonly persistent: boolean } | undefined
}

export interface UpdateOptions {
  /** Updates only a row that still has this revision. Default: any. */
  readonly ifRevision?: number | undefined
}

/**
 * What a visit counter needs. There is no upsert, on purpose: a session that was deleted cannot come back.
 *
 * Rules, for any number of processes on one store:
 * 1. `create` inserts; it throws if the hash exists.
 * 2. `update` and `touch` change a row only if it exists, and say whether they did. They never make one.
 * 3. `update` replaces or removes exactly the keys of its patch, atomically: concurrent patches of different keys are all kept, of one key the last wins.
 * 4. After `delete` or `deleteByUser` has answered, `find` answers undefined for that hash, for ever. `delete` says which rows were there.
 * 5. `touch` never moves `lastSeenAt` or `expiresAt` back; only with `limits`, which replace those of the row, may a session end earlier.
 * 6. `find` returns what was written, expired or not: the reader judges. A store that removes expired rows by itself may return undefined.
 * 8. `update` raises `revision`, nothing else does; with `ifRevision` it changes a row only if it still has that one: of parallel ones, one succeeds.
 */
export interface SessionRows<Row extends SessionRow = SessionRow> {
  create(row: SessionRow): Awaitable<void>
  find(hash: string): Awaitable<Row | undefined>
  update(hash: string, patch: SessionPatch, options?: UpdateOptions): Awaitable<boolean>
  touch(hash: string, seen: SessionSeen): Awaitable<boolean>
  /** All at once: a visitor may send any number of ids. */
  delete(hashes: readonly string[]): Awaitable<readonly string[]>
  close(): Awaitable<void>
  /** Whether it reports when it is unreachable: requests without a cookie are then served without a session. Default: false. */
  readonly isDisconnected?: boolean | undefined
  /** The key of an id. Default: SHA-256, base64url. Only a store that adopts rows of others has another one. */
  keyOf?(id: string): string
  /** Called once with the limits and the clock of its middleware. For stores with rows that somebody else wrote. */
  attach?(middleware: { readonly limits: SessionLimits; readonly clock: Clock }): void
}

/** Grace for requests that carry the id of a session which a bare `regenerate` replaced. */
export interface SessionGrace {
  /** 9. Makes a row that nobody can update or touch any more and that expires at `until`, unless it would sooner. It does so once. */
  supersede(hash: string, until: number): Awaitable<boolean>
}

/** The sessions of a user. */
export interface UserSessions {
  /** 10. The sessions of one user, the last seen first, of those seen together the newest; at most a hundred. */
  listByUser(userId: string): Awaitable<readonly SessionRow[]>
  /** 11. Deletes a user's sessions, also those that no list shows, all or all but one; says how many. */
  deleteByUser(userId: string, options?: { readonly except?: string | undefined }): Awaitable<number>
}

export interface SessionCleanup {
  /** 7. Deletes only what has expired at `now`, at most `limit` rows, and says how many. */
  deleteExpired(now: number, limit: number): Awaitable<number>
  /** Whether this process is the one that cleans up, until then. Without it every process does. */
  acquireCleanupLease?(now: number, until: number): Awaitable<boolean>
}

/** For `req.sessionStore`. */
export interface SessionBrowsing {
  /** 12. Sessions that have not expired at `now`, at most `limit`. */
  list(now: number, limit: number): Awaitable<readonly SessionRow[]>
  /** How many have not expired at `now`. */
  count(now: number): Awaitable<number>
  /** Ends all of them. */
  clear(): Awaitable<void>
}

/** The store that the middleware needs. Browsing is optional: without it, `req.sessionStore` reports that it cannot. */
export interface SessionStore<Row extends SessionRow = SessionRow>
  extends SessionRows<Row>,
    SessionGrace,
    UserSessions,
    SessionCleanup,
    Partial<SessionBrowsing> {}
