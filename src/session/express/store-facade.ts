// `req.sessionStore` over a store of ours: takes ids and hashes them.
import type { Clock } from '../../domain/clock.ts'
import { digest } from '../../domain/secret.ts'
import { expiryAfter, isExpired } from '../../domain/session-lifetime.ts'
import { Cookie, readCookieText } from '../cookies/cookie.ts'
import type { CookieAttributes } from '../cookies/write.ts'
import { COOKIE_KEY, defineOwn, emptyObject, isOwnKey, readValues, type SerialisedValues, serialise } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch, SessionRow, SessionStore } from '../store.ts'
import { Store } from './base-store.ts'
import type { Done, StoredSession } from './callback-store.ts'

const MAX_LISTED = 10_000

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
      const row = await this.#store.find(this.#keyOf(id))
      return row && !isExpired(row, this.#clock.now()) ? this.#sessionOf(row) : null
    }, callback)
  }

  /** Changes a session that is there. It makes none: what was ended does not come back. */
  override set = (id: string, session: StoredSession, callback?: Done): void => {
    answer(async () => {
      const hash = this.#keyOf(id)
      const row = await this.#store.find(hash)
      if (
        !row ||
        isExpired(row, this.#clock.now()) ||
        !(await this.#store.update(hash, patchTo(readValues(row.data), session)))
      ) {
        throw new Error('sessionStore.set: there is no such session; sessions begin with a request')
      }
    }, callback)
  }

  override destroy = (id: string, callback?: Done): void => {
    answer(async () => void (await this.#store.delete([this.#keyOf(id)])), callback)
  }

  override touch = (id: string, _session: StoredSession, callback?: Done): void => {
    answer(async () => {
      const hash = this.#keyOf(id)
      const row = await this.#store.find(hash)
      const now = this.#clock.now()
      if (row && !isSuperseded(row) && !isExpired(row, now))
        await this.#store.touch(hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) })
    }, callback)
  }

  override all = (callback: (error?: unknown, sessions?: unknown) => void): void => {
    answer(async () => {
      if (!this.#store.list) throw new TypeError('this store cannot list its sessions')
      const rows = await this.#store.list(this.#clock.now(), MAX_LISTED)
      return rows.map((row) => this.#sessionOf(row))
    }, callback)
  }

  override length = (callback: (error?: unknown, count?: number) => void): void => {
    answer(async () => {
      if (!this.#store.count) throw new TypeError('this store cannot count its sessions')
      return this.#store.count(this.#clock.now())
    }, callback)
  }

  override clear = (callback?: Done): void => {
    answer(async () => {
      if (!this.#store.clear) throw new TypeError('this store cannot be cleared')
      await this.#store.clear()
    }, callback)
  }

  #sessionOf(row: SessionRow): StoredSession {
    const values = readValues(row.data)
    const text = values.get(COOKIE_KEY)
    const { path, domain, httpOnly, secure, sameSite, partitioned, priority, maxAgeMs } = this.#cookie
    const fields = { path, domain, httpOnly, secure, sameSite, partitioned, priority, originalMaxAge: maxAgeMs ?? null }
    const cookie = new Cookie({ ...fields, ...(text === undefined ? {} : readCookieText(text)) }, this.#clock)
    const { originalMaxAge } = cookie
    if (row.persistent) cookie.expires = new Date(row.expiresAt)
    cookie.originalMaxAge = originalMaxAge
    const session: StoredSession = { cookie }
    for (const [key, text] of values) if (!isOwnKey(key)) defineOwn(session, key, JSON.parse(text))
    return session
  }
}

/** What makes stored values those of a session. */
function patchTo(values: SerialisedValues, session: StoredSession): SessionPatch {
  const patch: Record<string, string | null> = emptyObject()
  for (const [key, value] of Object.entries(session)) {
    if (isOwnKey(key)) continue
    const text = serialise(key, value)
    if (text !== undefined && text !== values.get(key)) patch[key] = text
  }
  for (const key of values.keys()) {
    const kept = isOwnKey(key) || (Object.hasOwn(session, key) && serialise(key, session[key]) !== undefined)
    if (!kept) patch[key] = null
  }
  return patch
}

/** Calls back with the outcome of some work. */
function answer<T>(work: () => Promise<T>, callback: ((error?: unknown, value?: T) => void) | undefined): void {
  work().then(
    (value) => process.nextTick(() => callback?.(null, value)),
    (error: unknown) => process.nextTick(() => callback?.(error)),
  )
}
