// Stores written for express-session, as stores of ours: what such a store can do, and no more.

import { StoreUnavailableError } from '../../database/timeout.ts'
import { isError, isNativePromise } from '../../domain/builtins.ts'
import { systemClock } from '../../domain/clock.ts'
import { digest } from '../../domain/secret.ts'
import { KeyedMutex } from '../../domain/serial-queue.ts'
import { expiryAfter } from '../../domain/session-lifetime.ts'
import { patchValues, type SerialisedValues, valuesOfRow, writeValues } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore, UpdateOptions } from '../store.ts'
import type { ExpressStore, StoredSession } from './callback-store.ts'
import { type AdoptionContext, rowOfStored, storedOfRow } from './stored-session.ts'

export interface FromExpressStoreOptions {
  /**
   * How ids are stored. `'plain'` like express-session: existing sessions are adopted, but a reader of the store can log in with them.
   * `'hashed'`: only the SHA-256 of an id is stored; existing sessions end.
   */
  readonly ids: 'plain' | 'hashed'
}

/**
 * Makes a `SessionStore` from a store that was written for express-session: connect-redis, connect-pg-simple, session-file-store.
 * Such a store writes whole sessions and may revive a deleted one. Within one process the rules hold all the same, as the operations on a
 * session are serialised, but not between processes. It cannot list or end the sessions of a user.
 *
 * @example
 * app.use(session({ secret, store: fromExpressStore(new RedisStore({ client }), { ids: 'plain' }) }))
 */
export function fromExpressStore(store: ExpressStore, { ids }: FromExpressStoreOptions): SessionStore {
  if (!isExpressStore(store)) throw new TypeError('fromExpressStore: the store must have the methods get, set and destroy')
  if (ids !== 'plain' && ids !== 'hashed')
    throw new TypeError(`fromExpressStore: ids must be 'plain' or 'hashed', got ${String(ids)}`)
  return new AdoptedStore(store, ids)
}

export function isExpressStore(store: unknown): store is ExpressStore {
  if (typeof store !== 'object' || store === null) return false
  return ['get', 'set', 'destroy'].every((name) => typeof Reflect.get(store, name) === 'function')
}

export class AdoptedStore implements SessionStore {
  /** The original store: `req.sessionStore`. */
  readonly expressStore: ExpressStore
  readonly #plain: boolean
  readonly #mutex = new KeyedMutex()
  /** The limits and the clock of its middleware. */
  #context: AdoptionContext = { limits: { idleMs: 900_000, absoluteMs: 43_200_000 }, clock: systemClock }
  #disconnected = false

  constructor(store: ExpressStore, ids: 'plain' | 'hashed') {
    this.expressStore = store
    this.#plain = ids === 'plain'
    for (const event of ['connect', 'disconnect']) {
      store.on?.(event, () => {
        this.#disconnected = event === 'disconnect'
      })
    }
  }

  get isDisconnected(): boolean {
    return this.#disconnected
  }

  keyOf(id: string): string {
    return this.#plain ? id : digest(id)
  }

  attach(context: AdoptionContext): void {
    this.#context = context
  }

  create(row: SessionRow): Promise<void> {
    return this.#mutex.take(row.hash, () => this.#set(row))
  }

  async find(hash: string): Promise<SessionRow | undefined> {
    const stored = await this.#get(hash)
    return stored && rowOfStored(hash, stored, this.#context)
  }

  update(hash: string, patch: SessionPatch, { ifRevision }: UpdateOptions = {}): Promise<boolean> {
    return this.#change(hash, (row, values) => {
      if (ifRevision !== undefined && row.revision !== ifRevision) return undefined
      const now = this.#context.clock.now()
      return { ...row, data: writeValues(patchValues(values, patch)), lastSeenAt: now, expiresAt: expiryAfter(now, row) }
    })
  }

  touch(hash: string, { lastSeenAt, expiresAt, limits }: SessionSeen): Promise<boolean> {
    if (limits || !this.expressStore.touch) return this.#change(hash, (row) => ({ ...row, lastSeenAt, expiresAt, ...limits }))
    return this.#mutex.take(hash, async () => {
      const stored = await this.#get(hash)
      const row = stored && rowOfStored(hash, stored, this.#context)
      if (!row || isSuperseded(row)) return false
      const session = storedOfRow({ ...row, lastSeenAt, expiresAt }, this.#context.clock, stored)
      await this.#call<void>((done) => this.expressStore.touch?.(hash, session, done))
      return true
    })
  }

  supersede(hash: string, until: number): Promise<boolean> {
    return this.#change(hash, (row) => ({ ...row, idleMs: 0, expiresAt: until, endsAt: Math.min(row.endsAt, until) }))
  }

  async delete(hashes: readonly string[]): Promise<readonly string[]> {
    const destroy = (hash: string) => this.#call<void>((done) => this.expressStore.destroy(hash, done))
    await Promise.all(hashes.map((hash) => this.#mutex.take(hash, () => destroy(hash))))
    // Such a store does not report what it deleted.
    return hashes
  }

  listByUser(): never {
    throw new TypeError('a store of express-session cannot list the sessions of a user')
  }

  deleteByUser(): never {
    throw new TypeError('a store of express-session cannot end the sessions of a user')
  }

  /** Such a store removes expired sessions by itself, or never. */
  deleteExpired(): number {
    return 0
  }

  close(): void {}

  /** Reads, changes and writes a live session, one change at a time. */
  #change(hash: string, change: (row: SessionRow, values: SerialisedValues) => SessionRow | undefined): Promise<boolean> {
    return this.#mutex.take(hash, async () => {
      const stored = await this.#get(hash)
      const row = stored && rowOfStored(hash, stored, this.#context)
      if (!row || isSuperseded(row)) return false
      const changed = change(row, valuesOfRow(row))
      if (!changed) return false
      await this.#set(changed, stored)
      return true
    })
  }

  async #get(hash: string): Promise<StoredSession | undefined> {
    try {
      return (await this.#call<StoredSession | null>((done) => this.expressStore.get(hash, done))) ?? undefined
    } catch (error) {
      if (isError(error) && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  #set(row: SessionRow, from?: StoredSession): Promise<void> {
    return this.#call<void>((done) => this.expressStore.set(row.hash, storedOfRow(row, this.#context.clock, from), done))
  }

  #call<T>(call: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T | undefined> {
    if (this.#disconnected) return Promise.reject(new StoreUnavailableError('the session store is disconnected'))
    return new Promise((resolve, reject) => {
      const answered = call((error, value) => (error ? reject(error) : resolve(value)))
      // Some stores answer a failed call by a rejected promise too: the first of the two counts.
      if (isNativePromise(answered)) answered.catch(reject)
    })
  }
}
