// `req.sessionStore` over a store of ours: takes ids and hashes them.
import type { Clock } from '../../domain/clock.ts'
import { digest } from '../../domain/secret.ts'
import { expiryAfter, isExpired } from '../../domain/session-lifetime.ts'
import type { CookieAttributes } from '../cookies/write.ts'
import { emptyObject, isOwnKey, readValues, type SerialisedValues, serialise } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch, SessionRow, SessionStore } from '../store.ts'
import { Store } from './base-store.ts'
import type { Done, StoredSession } from './callback-store.ts'
import { sessionOf } from './stored-session.ts'

const MAX_LISTED = 10_000
const BY_USER =
  'Only hashes of ids are stored, so all() gives none. To list or end the sessions of a user write session({ store, userOf }) and ask store.listByUser(userId) or store.deleteByUser(userId)'

export class StoreFacade extends Store {
  readonly #store: SessionStore
  readonly #clock: Clock
  readonly #keyOf: (id: string) => string
  readonly #cookie: CookieAttributes

  constructor(store: SessionStore, { clock, cookie }: { readonly clock: Clock; readonly cookie: CookieAttributes }) {
    super()
    this.#store = store
    this.#clock = clock
    this.#cookie = cookie
    this.#keyOf = (id) => store.keyOf?.(id) ?? digest(id)
  }

  override get = (id: string, callback: (error?: unknown, session?: StoredSession | null) => void): void => {
    answer(async () => {
      const row = await this.#findLive(id)
      return row ? this.#sessionOf(row) : null
    }, callback)
  }

  /** Changes an existing session. It creates none: an ended session must not come back. */
  override set = (id: string, session: StoredSession, callback?: Done): void => {
    answer(async () => {
      const row = await this.#findLive(id)
      if (!row || !(await this.#store.update(row.hash, patchTo(readValues(row.data), session)))) {
        throw new Error('sessionStore.set: there is no such session; sessions begin with a request')
      }
    }, callback)
  }

  override destroy = (id: string, callback?: Done): void => {
    answer(async () => {
      if (!isId(id)) throw new TypeError(`sessionStore.destroy: ${String(id)} is no session id. ${BY_USER}`)
      await this.#store.delete([this.#keyOf(id)])
    }, callback)
  }

  override touch = (id: string, _session: StoredSession, callback?: Done): void => {
    answer(async () => {
      const row = await this.#findLive(id)
      const lastSeenAt = this.#clock.now()
      if (row && !isSuperseded(row)) await this.#store.touch(row.hash, { lastSeenAt, expiresAt: expiryAfter(lastSeenAt, row) })
    }, callback)
  }

  override all = (callback: (error?: unknown, sessions?: unknown) => void): void => {
    answer(async () => {
      const rows = await (this.#store.list?.(this.#clock.now(), MAX_LISTED) ?? cannot(`list its sessions. ${BY_USER}`))
      return rows.map((row) => this.#sessionOf(row))
    }, callback)
  }

  override length = (callback: (error?: unknown, count?: number) => void): void => {
    answer(async () => this.#store.count?.(this.#clock.now()) ?? cannot('count its sessions'), callback)
  }

  override clear = (callback?: Done): void => {
    answer(async () => {
      if (!this.#store.clear) throw new TypeError('this store cannot be cleared')
      await this.#store.clear()
    }, callback)
  }

  async #findLive(id: string): Promise<SessionRow | undefined> {
    const row = await this.#store.find(this.#keyOf(id))
    return row && !isExpired(row, this.#clock.now()) ? row : undefined
  }

  #sessionOf({ data, persistent, expiresAt }: SessionRow): StoredSession {
    const { path, domain, httpOnly, secure, sameSite, partitioned, priority, maxAgeMs } = this.#cookie
    const attributes = { path, domain, httpOnly, secure, sameSite, partitioned, priority, originalMaxAge: maxAgeMs ?? null }
    return sessionOf(readValues(data), { clock: this.#clock, until: persistent ? expiresAt : undefined, attributes })
  }
}

/** A caller that walks another store's `all()` by keys, or by `session.id`, passes array indices here, or undefined. */
function isId(id: unknown): boolean {
  return typeof id === 'string' && !/^\d{1,5}$/.test(id)
}

function cannot(what: string): never {
  throw new TypeError(`this store cannot ${what}`)
}

/** The patch that turns stored values into those of a session. */
function patchTo(values: SerialisedValues, session: StoredSession): SessionPatch {
  const patch: Record<string, string | null> = emptyObject()
  for (const key of new Set([...values.keys(), ...Object.keys(session)])) {
    if (isOwnKey(key)) continue
    const text = Object.hasOwn(session, key) ? serialise(key, session[key]) : undefined
    if (text !== values.get(key)) patch[key] = text ?? null
  }
  return patch
}

function answer<T>(work: () => Promise<T>, callback: ((error?: unknown, value?: T) => void) | undefined): void {
  work().then(
    (value) => process.nextTick(() => callback?.(null, value)),
    (error: unknown) => process.nextTick(() => callback?.(error)),
  )
}
