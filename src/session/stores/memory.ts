// Sessions in the memory of this process: bounded, and gone when it ends.
import { type Clock, systemClock } from '../../domain/clock.ts'
import { isExpired } from '../../domain/session-lifetime.ts'
import { patchData } from '../data.ts'
import { MAX_LISTED } from '../row.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore, UpdateOptions } from '../store.ts'

export interface MemoryStoreOptions {
  /** How many sessions are kept at most. Beyond it expired ones go first, then the least recently seen. Default: 100 000. */
  readonly max?: number | undefined
  readonly clock?: Clock | undefined
}

/** Among how many an expired one is looked for when room is needed. */
const MAX_LOOKED_AT = 100

/** Keeps sessions in a Map. Every answer is given at once. */
export class MemoryStore implements SessionStore {
  readonly #max: number
  readonly #clock: Clock
  /** The least recently seen first. Rows are never changed, only replaced. */
  readonly #rows = new Map<string, SessionRow>()
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
    if (this.#rows.size >= this.#max) this.#makeRoom()
    this.#rows.set(row.hash, Object.freeze({ ...row }))
    if (row.userId === undefined) return
    const hashes = this.#byUser.get(row.userId)
    if (hashes) hashes.add(row.hash)
    else this.#byUser.set(row.userId, new Set([row.hash]))
  }

  find(hash: string): SessionRow | undefined {
    return this.#rows.get(hash)
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
    this.#rows.delete(hash)
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
    this.#rows.clear()
    this.#byUser.clear()
  }

  close(): void {
    this.clear()
  }

  #delete(hash: string): boolean {
    const row = this.#rows.get(hash)
    if (!row) return false
    this.#rows.delete(hash)
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

  /** An expired session among those not seen for longest, else the one not seen for longest. */
  #makeRoom(): void {
    const now = this.#clock.now()
    let oldest: string | undefined
    let looked = 0
    for (const row of this.#rows.values()) {
      if (isExpired(row, now)) return void this.#delete(row.hash)
      oldest ??= row.hash
      if (++looked === MAX_LOOKED_AT) break
    }
    if (oldest !== undefined) this.#delete(oldest)
  }
}
