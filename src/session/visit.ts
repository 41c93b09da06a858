// The session of one request: what was loaded, what the application changed, and what is saved before the response ends.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../domain/clock.ts'
import { newToken } from '../domain/secret.ts'
import { expiryAfter, type SessionLimits } from '../domain/session.ts'
import { cookieOf, isStranger, maxAgeOf, noCookie } from './answer-cookie.ts'
import { after, isPromise } from './awaitable.ts'
import type { CookieSettings } from './cookie.ts'
import { patchTexts, textOf, textsOfRow, writeTexts } from './data.ts'
import { hold, type Settling } from './response.ts'
import { type NewLogin, newRow } from './row.ts'
import { fill, notice, type Session, type SessionCookie, type SessionSource } from './session.ts'
import type { Awaitable, SessionPatch, SessionRow, SessionStore } from './store.ts'
import { Turns } from './turns.ts'

/** What all requests of one middleware share. */
export interface Engine<Row extends SessionRow = SessionRow> {
  readonly store: SessionStore<Row>
  readonly cookie: CookieSettings
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly SessionClass: new (source: SessionSource<Row>) => Session<Row>
  /** The names that SessionClass takes for itself. */
  readonly reserved: ReadonlySet<string>
  isLive(row: Row | undefined): row is Row
  /** The keys of the store that a request leads to, live or not. */
  hashesOf(req: IncomingMessage): readonly string[]
}

export interface Found<Row> {
  readonly id: string
  readonly row: Row
}

export interface Renewal {
  readonly login: NewLogin
  readonly limits: SessionLimits
  readonly persistent: boolean
  readonly keep: readonly string[]
  /** Whether the session at hand must still be there: the renewal of a login, not a new one. */
  readonly continues: boolean
}

const NOTHING: ReadonlyMap<string, string> = new Map()

type Next = (error?: unknown) => void

/** The session was ended, here or elsewhere, before its renewal was answered. The renewal is undone. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded'

  constructor() {
    super('the session was ended before its renewal was answered')
  }
}

export class Visit<Row extends SessionRow = SessionRow> implements SessionSource<Row>, Settling {
  readonly engine: Engine<Row>
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #next: Next
  #id: string | undefined
  /** The live row behind the request, as the store gave it. */
  #row: Row | undefined
  /** The row that is written to: #row, or one made during this request. */
  #stored: SessionRow | undefined
  #session: Session<Row> | undefined
  #texts: ReadonlyMap<string, string> | undefined
  #outgoingCookie: string | undefined
  readonly #turns = new Turns()
  #held = false
  /** Nothing is written any more: the session was ended, here or elsewhere, or could not be saved. */
  #abandoned: { readonly error: unknown } | undefined
  #over: 'ended' | 'deleted' | 'failed' | undefined

  constructor(engine: Engine<Row>, req: IncomingMessage, res: ServerResponse, next: Next, found: Found<Row> | undefined) {
    this.engine = engine
    this.#req = req
    this.#res = res
    this.#next = next
    this.#id = found?.id
    this.#row = found?.row
    this.#stored = found?.row
  }

  get row(): Row | undefined {
    return this.#row
  }

  get id(): string {
    this.#id ??= newToken()
    return this.#id
  }

  get outgoingCookie(): string | undefined {
    return this.#outgoingCookie
  }

  /** `req.session`. The first look at it parses the row and takes hold of the response. */
  get session(): Session<Row> | undefined {
    if (this.#over === 'ended') return undefined
    return this.#session ?? this.#open()
  }

  get cookie(): SessionCookie {
    const { path, domain, httpOnly, secure, sameSite } = this.engine.cookie
    const now = this.engine.clock.now()
    const maxAge = maxAgeOf(this.engine.cookie, this.#stored, now) ?? null
    const expires = maxAge === null ? null : new Date(now + maxAge)
    return Object.freeze({ path, domain, httpOnly, secure, sameSite, maxAge, expires })
  }

  /** Before the response goes out: what still runs, then what the application changed. */
  settle(): Awaitable<void> {
    if (this.#abandoned) return Promise.reject(this.#abandoned.error)
    const { running } = this.#turns
    if (running) return running.then(() => this.#turns.take(() => this.#save()))
    const patch = this.#notice()
    if (patch) return this.#turns.take(() => this.#write(patch))
  }

  failed(error: unknown): void {
    this.#over ??= 'failed'
    this.#next(error)
  }

  save(session: object): Promise<void> {
    return this.#act(() => (session === this.#session ? this.#save() : undefined))
  }

  reload(session: object): Promise<void> {
    return this.#act(async () => {
      if (session !== this.#session) return
      const row = this.#stored && (await this.engine.store.find(this.#stored.hash))
      if (!this.engine.isLive(row)) throw new Error('req.session.reload: this session is no longer there')
      this.#row = row
      this.#stored = row
      for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
      this.#texts = textsOfRow(row)
      fill(session, this.#texts, this.engine.reserved)
    })
  }

  touch(session: object): Promise<void> {
    return this.#act(() => {
      const row = this.#stored
      if (row === undefined || session !== this.#session) return
      const now = this.engine.clock.now()
      return after(this.engine.store.touch(row.hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) }), () => {})
    })
  }

  /** A new id, a new empty session without a login. The old row is deleted, and with it whatever else the request could lead to. */
  regenerate(): Promise<void> {
    return this.#act(() => {
      const old = this.#leave()
      this.#over = undefined
      this.#open()
      return after(this.#delete(old), () => {
        if (old.size > 0) this.#sendCookie(undefined)
      })
    })
  }

  /** Deletes the session and clears the cookie: also where there is none, and as often as asked. */
  destroy(): Promise<void> {
    return this.#act(() => {
      const old = this.#leave()
      this.#over = 'ended'
      // The cookie goes only when the row is gone: no answer claims a logout that did not happen.
      return after(this.#delete(old), () => {
        if (!isStranger(this.#req, this.engine.cookie)) this.#sendCookie(undefined)
      })
    })
  }

  /** `req.session = null`: nobody can catch its failure, so the response fails with it, whenever it comes. */
  abandon(): void {
    this.destroy().catch((error: unknown) => {
      this.#abandoned = { error }
    })
  }

  /** A login: a new row under a new id, made before the old one goes, found again as the store gives it. */
  async renew({ login, limits, persistent, keep, continues }: Renewal): Promise<Row> {
    if (this.#res.headersSent) throw new TypeError('a session cannot be renewed after the head of its response was sent')
    let renewed: Row | undefined
    await this.#act(async () => {
      const { store, clock } = this.engine
      const id = newToken()
      const row = newRow({ id, data: this.#kept(keep), now: clock.now(), limits, persistent, login })
      const old = this.#stored?.hash
      await store.create(row)
      const giveUp = async (error: unknown): Promise<never> => {
        this.#over = 'failed'
        await store.delete(row.hash)
        throw error
      }
      try {
        // Deleting the old row tells whether it was still there: what a logout took meanwhile stays ended.
        const gone = await this.#delete(this.#leave())
        if (continues && (old === undefined || !gone.has(old))) throw new SessionEnded()
      } catch (error) {
        await giveUp(error)
      }
      renewed = await store.find(row.hash)
      if (!this.engine.isLive(renewed)) return giveUp(new SessionEnded())
      this.#over = undefined
      this.#id = id
      this.#row = renewed
      this.#stored = renewed
      this.#sendCookie(renewed)
    })
    if (renewed === undefined) throw new Error('the session was not renewed')
    return renewed
  }

  #open(): Session<Row> {
    const session = new this.engine.SessionClass(this)
    const texts = this.#textsNow()
    if (texts.size > 0) fill(session, texts, this.engine.reserved)
    this.#session = session
    this.#hold()
    return session
  }

  #hold(): void {
    if (this.#held) return
    this.#held = true
    hold(this.#res, this)
  }

  #textsNow(): ReadonlyMap<string, string> {
    this.#texts ??= this.#row ? textsOfRow(this.#row) : NOTHING
    return this.#texts
  }

  /** Step three: notice. */
  #notice(): SessionPatch | undefined {
    if (this.#session === undefined || this.#over) return undefined
    return notice(this.#session, this.#textsNow(), this.engine.reserved)
  }

  #save(): Awaitable<void> {
    const patch = this.#notice()
    if (patch) return this.#write(patch)
  }

  /** Step four: save. A row that is there is patched, never made again. */
  #write(patch: SessionPatch): Awaitable<void> {
    const row = this.#stored
    if (row === undefined) return this.#create(patch)
    return after(this.engine.store.update(row.hash, patch), (updated) => {
      if (updated) this.#texts = patchTexts(this.#textsNow(), patch)
      else this.#over = 'deleted' // By a logout, meanwhile. The write is dropped: a session that was ended does not come back.
    })
  }

  #create(patch: SessionPatch): Awaitable<void> {
    const { clock, cookie, limits, store } = this.engine
    const late = this.#res.headersSent && this.#outgoingCookie === undefined
    if (late || isStranger(this.#req, this.engine.cookie)) return
    const texts = patchTexts(NOTHING, patch)
    const persistent = cookie.maxAgeMs !== undefined
    const row = newRow({ id: this.id, data: writeTexts(texts), now: clock.now(), limits, persistent })
    const before = this.#outgoingCookie
    this.#sendCookie(row)
    const undo = (error: unknown): never => {
      if (!this.#res.headersSent) this.#outgoingCookie = before
      throw error
    }
    try {
      const created = store.create(row)
      const done = (): void => {
        this.#stored = row
        this.#texts = texts
      }
      return isPromise(created) ? created.then(done, undo) : done()
    } catch (error) {
      return undo(error)
    }
  }

  /** Lets go of the session as it was, and says what is to be deleted. */
  #leave(): ReadonlySet<string> {
    const hashes = new Set(this.engine.hashesOf(this.#req))
    if (this.#stored) hashes.add(this.#stored.hash)
    this.#id = undefined
    this.#row = undefined
    this.#stored = undefined
    this.#session = undefined
    this.#texts = undefined
    this.#outgoingCookie = undefined
    return hashes
  }

  /** Deletes rows; says which of them were there. */
  #delete(hashes: Iterable<string>): Awaitable<ReadonlySet<string>> {
    const gone = new Set<string>()
    const waiting: Promise<void>[] = []
    for (const hash of hashes) {
      const note = (deleted: boolean): void => {
        if (deleted) gone.add(hash)
      }
      const deleted = this.engine.store.delete(hash)
      if (isPromise(deleted)) waiting.push(deleted.then(note))
      else note(deleted)
    }
    return waiting.length > 0 ? Promise.all(waiting).then(() => gone) : gone
  }

  #kept(keys: readonly string[]): string {
    const session = this.#session
    const texts = this.#textsNow()
    const kept = keys.map((key) => [key, session ? textOfKey(session, key) : texts.get(key)] as const)
    return writeTexts(kept.flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])))
  }

  /** The cookie for a row; without one the cookie is taken away. */
  #sendCookie(row: SessionRow | undefined): void {
    const { clock, cookie } = this.engine
    this.#outgoingCookie = row ? cookieOf(this.#req, cookie, { id: this.id, row, now: clock.now() }) : noCookie(this.#req, cookie)
    this.#hold()
  }

  /** What the application asked for. The response waits for it, and fails with it unless somebody caught the failure before. */
  #act(work: () => Awaitable<void>): Promise<void> {
    this.#hold()
    return this.#turns.promise(work)
  }
}

function textOfKey(session: object, key: string): string | undefined {
  return Object.hasOwn(session, key) ? textOf(key, Reflect.get(session, key)) : undefined
}
