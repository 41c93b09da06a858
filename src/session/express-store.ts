// Stores written for express-session, as stores of ours: what such a store can do, and no more. docs/features/sessions.md says what is lost.
import { type Clock, systemClock } from '../domain/clock.ts'
import { digest } from '../domain/secret.ts'
import { expiryAfter, type SessionLimits, touchIntervalMs } from '../domain/session.ts'
import type { ExpressStore, StoredSession } from './callback-store.ts'
import { own, patchTexts, readTexts, rowWithTexts, textOf, writeTexts } from './data.ts'
import { StoreUnavailable } from './deadline.ts'
import { readStoredCookie } from './detached-source.ts'
import { KeyedTurns } from './keyed-turns.ts'
import { Cookie, type CookieFields, readCookieText, textOfCookie } from './session-cookie.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore } from './store.ts'

export interface FromExpressStoreOptions {
  /**
   * How ids are kept. `'plain'` as express-session keeps them: a running application's sessions are adopted, and who reads the store can
   * log in with what he finds. `'hashed'`: only SHA-256 of an id is stored; sessions begin anew.
   */
  readonly ids: 'plain' | 'hashed'
}

/** The key of what express-session has no place for. It leaves it alone, so that one can go back. */
const OURS = '__guildhall'
/** Texts of ours that are no application's: see request-session.ts. */
const COOKIE_KEY = 'cookie'
const PREDECESSOR_KEY = 'regenerate'

const OWN_KEYS = new Set([COOKIE_KEY, PREDECESSOR_KEY])

type Ours = Pick<SessionRow, 'publicId' | 'createdAt' | 'lastSeenAt' | 'idleMs' | 'endsAt' | 'persistent'> & {
  readonly predecessor: string | undefined
}

/**
 * Makes a `SessionStore` from a store that was written for express-session: connect-redis, connect-pg-simple, session-file-store.
 * Such a store writes whole sessions and cannot refuse to bring one back; within one process the laws hold all the same, as the work on
 * one session is done in turn, but not between processes. It cannot list or end the sessions of a user.
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
  /** The store as it is: `req.sessionStore`. */
  readonly expressStore: ExpressStore
  readonly #plain: boolean
  readonly #turns = new KeyedTurns()
  #limits: SessionLimits = { idleMs: 900_000, absoluteMs: 43_200_000 }
  #clock: Clock = systemClock
  #disconnected = false

  constructor(store: ExpressStore, ids: 'plain' | 'hashed') {
    this.expressStore = store
    this.#plain = ids === 'plain'
    store.on?.('disconnect', () => {
      this.#disconnected = true
    })
    store.on?.('connect', () => {
      this.#disconnected = false
    })
  }

  keyOf(id: string): string {
    return this.#plain ? id : digest(id)
  }

  attach({ limits, clock }: { readonly limits: SessionLimits; readonly clock: Clock }): void {
    this.#limits = limits
    this.#clock = clock
  }

  create(row: SessionRow): Promise<void> {
    return this.#turns.take(row.hash, () => this.#set(row))
  }

  async find(hash: string): Promise<SessionRow | undefined> {
    const stored = await this.#get(hash)
    return stored ? this.#rowOf(hash, stored) : undefined
  }

  update(
    hash: string,
    patch: SessionPatch,
    { unchangedFrom }: { readonly unchangedFrom?: string | undefined } = {},
  ): Promise<boolean> {
    return this.#change(hash, (row, texts) => {
      if (unchangedFrom !== undefined && row.data !== unchangedFrom) return undefined
      const now = this.#clock.now()
      return { ...row, data: writeTexts(patchTexts(texts, patch)), lastSeenAt: now, expiresAt: expiryAfter(now, row) }
    })
  }

  touch(hash: string, { lastSeenAt, expiresAt, limits }: SessionSeen): Promise<boolean> {
    if (limits || !this.expressStore.touch) return this.#change(hash, (row) => ({ ...row, lastSeenAt, expiresAt, ...limits }))
    return this.#turns.take(hash, async () => {
      const row = await this.find(hash)
      if (!row || row.idleMs === 0) return false
      const session = this.#sessionOf({ ...row, lastSeenAt, expiresAt })
      await this.#call<void>((done) => this.expressStore.touch?.(hash, session, done))
      return true
    })
  }

  retire(hash: string, until: number): Promise<boolean> {
    return this.#change(hash, (row) => ({ ...row, idleMs: 0, expiresAt: until, endsAt: Math.min(row.endsAt, until) }))
  }

  delete(hash: string): Promise<boolean> {
    return this.#turns.take(hash, async () => {
      await this.#call<void>((done) => this.expressStore.destroy(hash, done))
      return true
    })
  }

  listByUser(): never {
    throw new TypeError('a store of express-session cannot list the sessions of a user')
  }

  deleteByUser(): never {
    throw new TypeError('a store of express-session cannot end the sessions of a user')
  }

  /** Such a store removes what has expired by itself, or not at all. */
  sweep(): number {
    return 0
  }

  close(): void {}

  /** Reads, changes and writes a session that lives, in its turn. */
  #change(
    hash: string,
    change: (row: SessionRow, texts: ReadonlyMap<string, string>) => SessionRow | undefined,
  ): Promise<boolean> {
    return this.#turns.take(hash, async () => {
      const stored = await this.#get(hash)
      const row = stored && this.#rowOf(hash, stored)
      if (!row || row.idleMs === 0) return false
      const changed = change(row, textsOf(stored))
      if (!changed) return false
      await this.#set(changed)
      return true
    })
  }

  async #get(hash: string): Promise<StoredSession | undefined> {
    try {
      return (await this.#call<StoredSession | null>((done) => this.expressStore.get(hash, done))) ?? undefined
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  #set(row: SessionRow): Promise<void> {
    return this.#call<void>((done) => this.expressStore.set(row.hash, this.#sessionOf(row), done))
  }

  #call<T>(call: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T | undefined> {
    if (this.#disconnected) return Promise.reject(new StoreUnavailable('the session store is disconnected'))
    return new Promise((resolve, reject) => {
      const answered = call((error, value) => (error ? reject(error) : resolve(value)))
      // Some stores answer a broken call by a rejected promise too: whoever hears it first has said it.
      if (answered instanceof Promise) answered.catch(reject)
    })
  }

  /** A row from what such a store has. What express-session wrote is as old as this look at it. */
  #rowOf(hash: string, stored: StoredSession): SessionRow | undefined {
    const now = this.#clock.now()
    const cookie = readStoredCookie(stored.cookie)
    const maxAge = typeof cookie.originalMaxAge === 'number' ? cookie.originalMaxAge : undefined
    const idleMs = maxAge ?? this.#limits.idleMs
    const ours = readOurs(stored[OURS])
    const endsAt = ours?.endsAt ?? now + Math.max(this.#limits.absoluteMs, idleMs)
    const texts = textsOf(stored)
    return rowWithTexts(
      {
        hash,
        publicId: ours?.publicId ?? digest(hash),
        data: writeTexts(texts),
        createdAt: ours?.createdAt ?? now,
        lastSeenAt: lastSeenOf(cookie, ours, maxAge),
        idleMs: ours?.idleMs ?? idleMs,
        // Whether it was idle for too long the store has judged, by the cookie's date; some keep that date nowhere else.
        expiresAt: endsAt,
        endsAt,
        persistent: ours?.persistent ?? maxAge !== undefined,
        userId: undefined,
        credentialEpoch: undefined,
        factors: undefined,
        authenticatedAt: undefined,
        ip: undefined,
        userAgent: undefined,
      },
      texts,
    )
  }

  /** A session as express-session would have written it: its cookie's date is the time at which the store may forget it. */
  #sessionOf(row: SessionRow): StoredSession {
    const { data, expiresAt, publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent } = row
    const texts = readTexts(data)
    const cookieText = texts.get(COOKIE_KEY)
    const cookie = new Cookie(cookieText === undefined ? {} : readCookieText(cookieText), this.#clock)
    const { originalMaxAge } = cookie
    cookie.expires = new Date(expiresAt)
    cookie.originalMaxAge = originalMaxAge
    const session: StoredSession = { cookie }
    for (const [key, text] of texts) if (!OWN_KEYS.has(key)) own(session, key, JSON.parse(text))
    const ours: Ours = { publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent, predecessor: texts.get(PREDECESSOR_KEY) }
    session[OURS] = ours
    return session
  }
}

/** When a session was last seen. A store's `touch` tells by the cookie's date alone, and some not even by that. */
function lastSeenOf({ expires }: CookieFields, ours: Ours | undefined, maxAge: number | undefined): number {
  const until = expires instanceof Date ? expires.getTime() : 0
  if (ours === undefined) return maxAge === undefined ? 0 : until - maxAge
  return Math.max(ours.lastSeenAt, until - ours.idleMs - touchIntervalMs(ours.idleMs))
}

/** The texts of a stored session: the application's, and ours. */
function textsOf(stored: StoredSession): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const [key, value] of Object.entries(stored)) {
    if (key === OURS || OWN_KEYS.has(key)) continue
    const text = textOf(key, value)
    if (text !== undefined) texts.set(key, text)
  }
  texts.set(COOKIE_KEY, textOfCookie(new Cookie(readStoredCookie(stored.cookie))))
  const predecessor = readOurs(stored[OURS])?.predecessor
  if (predecessor !== undefined) texts.set(PREDECESSOR_KEY, predecessor)
  return texts
}

function readOurs(value: unknown): Ours | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { publicId, createdAt, lastSeenAt, idleMs, endsAt, persistent, predecessor }: Record<string, unknown> = { ...value }
  if (typeof publicId !== 'string' || typeof createdAt !== 'number' || typeof lastSeenAt !== 'number') return undefined
  if (typeof idleMs !== 'number' || typeof endsAt !== 'number') return undefined
  return {
    publicId,
    createdAt,
    lastSeenAt,
    idleMs,
    endsAt,
    persistent: persistent === true,
    predecessor: typeof predecessor === 'string' ? predecessor : undefined,
  }
}
