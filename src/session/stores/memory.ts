// Sessions in the memory of this process: bounded, and gone when it ends.
import { type Clock, systemClock } from '../../domain/clock.ts'
import { isExpired } from '../../domain/session-lifetime.ts'
import { patchData } from '../data.ts'
import { MAX_LISTED } from '../row.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore, UpdateOptions } from '../store.ts'

export interface MemoryStoreOptions {
  /**
   * The most sessions that are kept. Default: 100 000. Beyond it expired ones go first, then those whose browser never came back, then the
   * least recently used. A visitor's session never replaces a user's: if there are no others, the visitor gets none. A user's new session
   * may replace the least recently used one of another user.
   */
  readonly max?: number | undefined
  readonly clock?: Clock | undefined
}

/** How many sessions are searched for an expired one when the store is full. */
const MAX_LOOKED_AT = 100
/** The share of the store for visitors who have not come back yet: without it, nobody could start a session. */
const SHARE_OF_NEWCOMERS = 0.2

/** Keeps sessions in a Map, without promises. */
export class MemoryStore implements SessionStore {
  readonly #max: number
  readonly #clock: Clock
  /** Rows are never changed, only replaced. */
  readonly #rows = new Map<string, SessionRow>()
  /** Sessions without a user whose browser has not come back: a flood without cookies is of these. The oldest first. */
  readonly #newcomers = new Set<string>()
  /** Sessions without a user whose browser has come back. The least recently used first. */
  readonly #returned = new Set<string>()
  /** Sessions of users. The least recently used first. */
  readonly #named = new Set<string>()
  readonly #byUser = new Map<string, Set<string>>()

  constructor({ max = 100_000, clock = systemClock }: MemoryStoreOptions = {}) {
    if (!Number.isInteger(max) || max < 1) throw new TypeError(`MemoryStore: max must be a positive whole number, got ${max}`)
    this.#max = max
    this.#clock = clock
  }

  /** How many sessions are kept, expired ones included. */
  get size(): number {
    return this.#rows.size
  }

  create(row: SessionRow): void {
    if (this.#rows.has(row.hash)) throw new Error('a session with this hash exists')
    if (this.#rows.size >= this.#max) this.#makeRoom(row)
    this.#rows.set(row.hash, Object.freeze({ ...row }))
    if (row.userId === undefined) return void this.#newcomers.add(row.hash)
    this.#named.add(row.hash)
    const hashes = this.#byUser.get(row.userId)
    if (hashes) hashes.add(row.hash)
    else this.#byUser.set(row.userId, new Set([row.hash]))
  }

  find(hash: string): SessionRow | undefined {
    const row = this.#rows.get(hash)
    if (row === undefined) return undefined
    const group = row.userId === undefined ? this.#returned : this.#named
    this.#newcomers.delete(hash)
    group.delete(hash)
    group.add(hash)
    return row
  }

  update(hash: string, patch: SessionPatch, { ifRevision }: UpdateOptions = {}): boolean {
    const row = this.#writable(hash)
    if (!row || (ifRevision !== undefined && row.revision !== ifRevision)) return false
    this.#rows.set(hash, Object.freeze({ ...row, data: patchData(row.data, patch), revision: row.revision + 1 }))
    return true
  }

  touch(hash: string, { lastSeenAt, expiresAt, limits }: SessionSeen): boolean {
    const row = this.#writable(hash)
    if (!row) return false
    const seen = { lastSeenAt: Math.max(row.lastSeenAt, lastSeenAt), expiresAt: Math.max(row.expiresAt, expiresAt) }
    const { idleMs, endsAt, persistent } = limits ?? row
    this.#rows.set(hash, Object.freeze({ ...row, ...seen, idleMs, endsAt, persistent, ...(limits && { expiresAt }) }))
    return true
  }

  supersede(hash: string, until: number): boolean {
    const row = this.#writable(hash)
    if (!row) return false
    const expiresAt = Math.min(row.expiresAt, until)
    this.#rows.set(hash, Object.freeze({ ...row, idleMs: 0, expiresAt, endsAt: expiresAt }))
    return true
  }

  delete(hashes: readonly string[]): readonly string[] {
    return hashes.filter((hash) => this.#delete(hash))
  }

  listByUser(userId: string): readonly SessionRow[] {
    return [...(this.#byUser.get(userId) ?? [])]
      .flatMap((hash) => this.#rows.get(hash) ?? [])
      .toReversed()
      .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt || b.createdAt - a.createdAt)
      .slice(0, MAX_LISTED)
  }

  deleteByUser(userId: string, options: { readonly except?: string | undefined } = {}): number {
    const hashes = [...(this.#byUser.get(userId) ?? [])].filter((hash) => hash !== options.except)
    return this.delete(hashes).length
  }

  deleteExpired(now: number, limit: number): number {
    let deleted = 0
    for (const row of this.#rows.values()) {
      if (deleted >= limit) break
      if (!isExpired(row, now)) continue
      this.#delete(row.hash)
      deleted++
    }
    return deleted
  }

  list(now: number, limit: number): readonly SessionRow[] {
    return [...this.#rows.values()].filter((row) => !isExpired(row, now)).slice(0, limit)
  }

  count(now: number): number {
    return this.list(now, this.#max).length
  }

  clear(): void {
    for (const group of [this.#rows, this.#newcomers, this.#returned, this.#named]) group.clear()
    this.#byUser.clear()
  }

  close(): void {
    this.clear()
  }

  #delete(hash: string): boolean {
    const row = this.#rows.get(hash)
    if (!row) return false
    this.#rows.delete(hash)
    for (const group of this.#groups()) group.delete(hash)
    if (row.userId === undefined) return true
    const hashes = this.#byUser.get(row.userId)
    hashes?.delete(hash)
    if (hashes?.size === 0) this.#byUser.delete(row.userId)
    return true
  }

  #writable(hash: string): SessionRow | undefined {
    const row = this.#rows.get(hash)
    return row === undefined || row.idleMs === 0 ? undefined : row
  }

  /** In the order of eviction. */
  #groups(): readonly Set<string>[] {
    const isCrowded = this.#newcomers.size >= this.#max * SHARE_OF_NEWCOMERS || this.#returned.size === 0
    return isCrowded ? [this.#newcomers, this.#returned, this.#named] : [this.#returned, this.#newcomers, this.#named]
  }

  #makeRoom({ userId }: SessionRow): void {
    const groups = this.#groups()
    const expired = groups.map((group) => this.#expiredOf(group)).find((hash) => hash !== undefined)
    const [unused] = groups.find((group) => group.size > 0) ?? []
    const isTheirs = unused !== undefined && this.#named.has(unused)
    if (expired === undefined && isTheirs && userId === undefined)
      throw new Error(`MemoryStore: all ${this.#max} sessions are of users, and none is ended for a visitor; use another store`)
    this.#delete(expired ?? unused ?? '')
  }

  /** An expired session among the least recently used ones. */
  #expiredOf(group: Set<string>): string | undefined {
    const now = this.#clock.now()
    let looked = 0
    for (const hash of group) {
      const row = this.#rows.get(hash)
      if (row && isExpired(row, now)) return hash
      if (++looked === MAX_LOOKED_AT) return undefined
    }
    return undefined
  }
}
