// `req.session`: a bag of plain data with five methods. What it knows of its request is private.
import { emptyObject, textOf } from './data.ts'
import type { SessionPatch, SessionRow } from './store.ts'

/** What the session cookie of this session looks like. Read only: the cookie is decided where the middleware is made. */
export interface SessionCookie {
  readonly path: string
  readonly domain: string | undefined
  readonly httpOnly: boolean
  readonly secure: boolean | 'auto'
  readonly sameSite: 'strict' | 'lax' | 'none' | false
  /** Milliseconds until the browser drops it; null where it lives as long as the browser. */
  readonly maxAge: number | null
  readonly expires: Date | null
}

/** What stands behind a session: the request it belongs to. */
export interface SessionSource<Row extends SessionRow = SessionRow> {
  readonly id: string
  readonly row: Row | undefined
  readonly cookie: SessionCookie
  regenerate(): Promise<void>
  destroy(): Promise<void>
  save(session: object): Promise<void>
  reload(session: object): Promise<void>
  touch(session: object): Promise<void>
}

type Callback = (error?: unknown) => void

/** The session of one request. Every own property is data of the application, stored as JSON under its name. */
export class Session<Row extends SessionRow = SessionRow> {
  readonly #source: SessionSource<Row>

  constructor(source: SessionSource<Row>) {
    this.#source = source
  }

  /** For subclasses: the live row behind a session. */
  protected static rowOf<Row extends SessionRow>(session: Session<Row>): Row | undefined {
    return session.#source.row
  }

  /** The id that the cookie carries: a secret. Changes at a login and with `regenerate`. */
  get id(): string {
    return this.#source.id
  }

  get cookie(): SessionCookie {
    return this.#source.cookie
  }

  /** Begins a new, empty session with a new id; the old one is deleted. `req.session` is the new one at once. */
  regenerate(): Promise<void>
  regenerate(callback: Callback): this
  regenerate(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#source.regenerate(), callback)
  }

  /** Deletes the session and clears the cookie. `req.session` is undefined afterwards. Await it: a failure that nobody awaits is lost once it is over. */
  destroy(): Promise<void>
  destroy(callback: Callback): this
  destroy(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#source.destroy(), callback)
  }

  /** Stores what changed now; otherwise that happens before the response ends. */
  save(): Promise<void>
  save(callback: Callback): this
  save(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#source.save(this), callback)
  }

  /** Reads the data again and drops what was not saved. Fails where the session is no longer there. */
  reload(): Promise<void>
  reload(callback: Callback): this
  reload(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#source.reload(this), callback)
  }

  /** Marks the session as seen now; otherwise every request does that, at most once per interval. */
  touch(): Promise<void>
  touch(callback: Callback): this
  touch(callback?: Callback): Promise<void> | this {
    return this.#answer(this.#source.touch(this), callback)
  }

  #answer(work: Promise<void>, callback: Callback | undefined): Promise<void> | this {
    if (callback === undefined) return work
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
        own(this, '__proto__', value)
      },
    })
    // Nor with a = 'constructor', b = 'prototype': nothing can be added there.
    Object.preventExtensions(Session.prototype)
  }
}

/** The names that a session class takes for itself. They cannot be keys. */
export function reservedNames(SessionClass: { readonly prototype: object }): ReadonlySet<string> {
  const names = new Set<string>()
  for (let at = SessionClass.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  }
  names.delete('constructor')
  names.delete('__proto__')
  return names
}

/** Puts stored values into a session. */
export function fill(session: object, texts: ReadonlyMap<string, string>, reserved: ReadonlySet<string>): void {
  for (const [key, text] of texts) {
    if (reserved.has(key)) continue // A stored key must not cover a getter such as `isLoggedIn`.
    const value: unknown = JSON.parse(text)
    if (key in session) own(session, key, value)
    else Reflect.set(session, key, value)
  }
}

/** What an application changed since the texts were read; undefined where nothing did. Throws a TypeError for what cannot be stored. */
export function notice(
  session: object,
  texts: ReadonlyMap<string, string>,
  reserved: ReadonlySet<string>,
): SessionPatch | undefined {
  let patch: Record<string, string | null> | undefined
  let kept = 0
  for (const key of Object.keys(session)) {
    if (reserved.has(key)) throw new TypeError(reservedMessage(key))
    const text = textOf(key, Reflect.get(session, key))
    if (text === undefined) continue
    const before = texts.get(key)
    if (before !== undefined) kept++
    if (before === text) continue
    // Databases cut keys at NUL or refuse them: two keys would be one.
    if (key.includes('\0') || !key.isWellFormed()) throw new TypeError(`req.session: ${JSON.stringify(key)} cannot be a key`)
    patch ??= emptyObject()
    patch[key] = text
  }
  if (kept === texts.size) return patch
  patch ??= emptyObject()
  for (const key of texts.keys()) {
    const removed = !Object.hasOwn(session, key) || textOf(key, Reflect.get(session, key)) === undefined
    if (removed) patch[key] = null
  }
  return patch
}

function reserve(prototype: object, name: string): void {
  const { get, value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
  Object.defineProperty(prototype, name, {
    get: get ?? (() => value),
    set() {
      throw new TypeError(reservedMessage(name))
    },
  })
}

function reservedMessage(name: string): string {
  return `req.session.${name} belongs to the session itself: store the value under another name`
}

function own(session: object, key: string, value: unknown): void {
  Object.defineProperty(session, key, { value, writable: true, enumerable: true, configurable: true })
}
