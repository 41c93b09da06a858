// `req.session`: a bag of plain data with a few methods. What it knows of its request is private.
import type { Awaitable } from '../../domain/awaitable.ts'
import type { Cookie } from '../cookies/cookie.ts'
import { defineOwn } from '../data.ts'
import type { DetachedRequest } from '../express/callback-store.ts'
import type { SessionRow } from '../store.ts'
import { DetachedSession, isDetachedRequest } from './detached-session.ts'
import { reservedMessage } from './diff.ts'
import type { SessionOperations } from './session-operations.ts'

type Callback = (error?: unknown) => void

/** The session of one request. Every own property is data of the application, stored as JSON under its name. */
export class Session<Row extends SessionRow = SessionRow> {
  readonly #operations: SessionOperations<Row>

  /** Sessions come with requests. Made by hand, as a store of express-session makes them, one works on the store of the request it is given. */
  constructor(operations: SessionOperations<Row> | DetachedRequest, data?: object) {
    this.#operations = isDetachedRequest(operations) ? new DetachedSession(operations, data) : operations
    if (data === undefined) return
    for (const [key, value] of Object.entries(data)) if (!(key in this)) defineOwn(this, key, value)
  }

  /** For subclasses: the live row behind a session. */
  protected static rowOf<Row extends SessionRow>(session: Session<Row>): Row | undefined {
    return session.#operations.row
  }

  /** The id that the cookie carries: a secret. Changes at a login and with `regenerate`. */
  get id(): string {
    return this.#operations.id
  }

  /** The cookie of this session. What changes here (`maxAge`, say) goes out with the response. */
  get cookie(): Cookie {
    return this.#operations.cookie
  }

  /**
   * Begins a new, empty session with a new id. `req.session` is the new one at once. Requests that carried the old id may
   * still read it for ten seconds and write nothing. It is no logout: that is `destroy`. What you copy from the old session to the new one
   * is there although a logout may have ended the old one meanwhile: copy nothing that says who somebody is.
   */
  regenerate(): Promise<void>
  regenerate(callback: Callback): this
  regenerate(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#operations.regenerate(), callback)
  }

  /** Deletes the session and clears the cookie. `req.session` is undefined afterwards. Await it: a failure that nobody awaits is lost once it is over. */
  destroy(): Promise<void>
  destroy(callback: Callback): this
  destroy(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#operations.destroy(), callback)
  }

  /** Stores what changed now; otherwise that happens before the response ends. */
  save(): Promise<void>
  save(callback: Callback): this
  save(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#operations.save(this), callback)
  }

  /** Reads the data again and drops what was not saved. Fails where the session is no longer there. */
  reload(): Promise<void>
  reload(callback: Callback): this
  reload(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#operations.reload(this), callback)
  }

  /**
   * Changes the session atomically: `change` gets the data as they are stored now, and what it changed is written only where nobody
   * else wrote meanwhile; else it is called again. So it should do nothing but change the data, which are those that are stored, without
   * what this request has not saved. Over a store of express-session that holds within one process alone. Gives what `change` gives.
   * Fails where the session is no longer there.
   *
   * @example
   * const visits = await req.session.update((data) => (data.visits = (data.visits ?? 0) + 1))
   */
  update<T>(change: (data: Omit<this, keyof Session>) => Awaitable<T>): Promise<T> {
    // What an application declared to be in its session is what it finds there.
    return ignoreUnhandled(this.#operations.update(this, change as (data: object) => Awaitable<T>))
  }

  /** Lets the cookie's maxAge begin anew. Every response does that for the cookie it sends. */
  resetMaxAge(): this {
    const { cookie } = this
    const { originalMaxAge } = cookie
    if (!Object.isFrozen(cookie)) cookie.maxAge = originalMaxAge
    return this
  }

  /** Marks the session as seen now; otherwise every request does that, at most once per interval. The response waits for it. */
  touch(callback?: Callback): this {
    this.resetMaxAge()
    void this.#answer(this.#operations.touch(this), callback)
    return this
  }

  #answer(work: Promise<void>, callback: Callback | undefined): Promise<void> | this {
    if (callback === undefined) return ignoreUnhandled(work)
    work.then(
      () => process.nextTick(callback),
      (error: unknown) => process.nextTick(callback, error),
    )
    return this
  }

  static {
    for (const name of reservedNames(Session)) reserve(Session.prototype, name)
    // `session[a][b] = c` with a = '__proto__' must not reach a prototype: the name is a key like any other.
    Object.defineProperty(Session.prototype, '__proto__', {
      get: () => undefined,
      set(this: object, value: unknown) {
        defineOwn(this, '__proto__', value)
      },
    })
  }
}

/**
 * What an application has added to the prototype before the first request is in every session, and its names are reserved like ours.
 * Afterwards no request can change what all sessions share, as `session[a][b] = c` would with a = 'constructor'. Returns the reserved names.
 */
export function freezeSessionClass(SessionClass: { readonly prototype: object }): ReadonlySet<string> {
  for (let at = SessionClass.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'constructor' && value !== undefined) reserve(at, name)
    }
    Object.preventExtensions(at)
  }
  for (const fixed of [Session, SessionClass]) Object.freeze(fixed)
  return reservedNames(SessionClass)
}

/** The reserved names of a session class, which cannot be keys. */
function reservedNames(SessionClass: { readonly prototype: object }): ReadonlySet<string> {
  const names = new Set<string>()
  for (let at = SessionClass.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  }
  names.delete('constructor')
  names.delete('__proto__')
  return names
}

/** The process must not end for a failure that the application does not wait for. */
function ignoreUnhandled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

function reserve(prototype: object, name: string): void {
  const { get, value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
  Object.defineProperty(prototype, name, {
    enumerable: false,
    get: get ?? (() => value),
    set() {
      throw new TypeError(reservedMessage(name))
    },
  })
}
