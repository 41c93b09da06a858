// A session apart from any response, as old stores make one.

import type { Awaitable } from '../../domain/awaitable.ts'
import { isDate } from '../../domain/builtins.ts'
import { Cookie, type CookieFields } from '../cookies/cookie.ts'
import type { DetachedRequest, Done, StoredSession } from '../express/callback-store.ts'
import type { SessionOperations } from './session-operations.ts'

/** The words of express-session, which applications compare. */
export const RELOAD_FAILED = 'failed to load session'

export class DetachedSession implements SessionOperations {
  readonly row = undefined
  readonly cookie: Cookie
  readonly #req: DetachedRequest

  constructor(req: DetachedRequest, data: object | undefined) {
    this.#req = req
    const stored: unknown = data && Reflect.get(data, 'cookie')
    this.cookie = stored instanceof Cookie ? stored : new Cookie(readStoredCookie(stored))
  }

  get id(): string {
    return this.#req.sessionID
  }

  async regenerate(): Promise<void> {
    const { sessionStore } = this.#req
    await called((done) => (sessionStore.regenerate ? sessionStore.regenerate(this.#req, done) : done()))
  }

  async destroy(): Promise<void> {
    const { sessionStore, sessionID } = this.#req
    delete this.#req.session
    await called((done) => (sessionStore.destroy ? sessionStore.destroy(sessionID, done) : done()))
  }

  async save(session: object): Promise<void> {
    const { sessionStore, sessionID } = this.#req
    const stored: StoredSession = { cookie: this.cookie, ...session }
    await called((done) => (sessionStore.set ? sessionStore.set(sessionID, stored, done) : done()))
  }

  async reload(session: object): Promise<void> {
    const { sessionStore, sessionID } = this.#req
    let found: StoredSession | null | undefined
    await called((done) => {
      if (!sessionStore.get) return done()
      return sessionStore.get(sessionID, (error, stored) => {
        found = stored
        done(error)
      })
    })
    if (!found) throw new Error(RELOAD_FAILED)
    const { cookie: _, ...data } = found
    for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
    Object.assign(session, data)
  }

  async touch(): Promise<void> {}

  async update<T>(session: object, change: (data: object) => Awaitable<T>): Promise<T> {
    const result = await change(session)
    await this.save(session)
    return result
  }
}

export function isDetachedRequest(operations: object): operations is DetachedRequest {
  return 'sessionStore' in operations && 'sessionID' in operations
}

/** The fields of a cookie as a store of express-session gives it: its date is a text after JSON. */
export function readStoredCookie(stored: unknown): CookieFields {
  if (typeof stored !== 'object' || stored === null) return {}
  const { originalMaxAge, expires, maxAge, ...fields }: Record<string, unknown> = Object.fromEntries(Object.entries(stored))
  const date = typeof expires === 'string' ? new Date(expires) : expires
  // What is no cookie's field is not read; what is none of its values, neither.
  return {
    ...fields,
    ...(typeof maxAge === 'number' ? { maxAge } : {}),
    ...(isDate(date) && !Number.isNaN(date.getTime()) ? { expires: date } : {}),
    originalMaxAge: typeof originalMaxAge === 'number' ? originalMaxAge : null,
  }
}

/** A callback as a promise. What a store does not have is done at once. */
function called(call: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()))
  })
}
