// Steps three and four of a request: notices what the application changed in the session, saves it before the response ends.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { newToken } from '../../domain/secret.ts'
import { expiryAfter } from '../../domain/session-lifetime.ts'
import type { CookieAttributes } from '../cookies/cookie.ts'
import { type CookieOwner, RequestCookie } from '../cookies/request-cookie.ts'
import type { Cookie } from '../cookies/session-cookie.ts'
import { COOKIE_KEY, emptyObject, PREDECESSOR_KEY, patchTexts, textsOfRow, writeTexts } from '../data.ts'
import { isSuperseded, newRow } from '../row.ts'
import type { SessionPatch, SessionRow } from '../store.ts'
import type { Engine, Found } from './engine.ts'
import { hold, type Settling } from './response.ts'
import { SerialQueue } from './serial-queue.ts'
import { fill, notice, type Session } from './session.ts'
import type { SessionOperations } from './session-operations.ts'

const NOTHING: ReadonlyMap<string, string> = new Map()
const NO_CHANGE: SessionPatch = emptyObject()

export type Next = (error?: unknown) => void

/** The session of one request, as far as it is read and saved. `Visit` adds what an application can ask of it. */
export abstract class RequestSession<Row extends SessionRow = SessionRow> implements Settling, CookieOwner {
  readonly engine: Engine<Row>
  /** The live row behind the request, as the store gave it. */
  row: Row | undefined
  outgoingCookie: string | undefined
  protected readonly req: IncomingMessage
  protected readonly res: ServerResponse
  #turns: SerialQueue | undefined
  protected currentId: string | undefined
  /** The row that is written to: the live one, or one made during this request. */
  protected stored: SessionRow | undefined
  protected current: Session<Row> | undefined
  protected texts: ReadonlyMap<string, string> | undefined
  /** The session that this one replaces and that can be read for a while. It ends with this one. */
  protected predecessor: string | undefined
  protected over: 'ended' | 'kept' | 'deleted' | 'failed' | undefined
  /** Why nothing is written any more. */
  protected abandoned: { readonly error: unknown } | undefined
  readonly #next: Next
  readonly #usual: CookieAttributes
  #madeCookie: RequestCookie | undefined
  #held = false

  constructor(
    engine: Engine<Row>,
    { req, res, next, attributes }: { req: IncomingMessage; res: ServerResponse; next: Next; attributes: CookieAttributes },
    found: Found<Row> | undefined,
  ) {
    this.engine = engine
    this.req = req
    this.res = res
    this.#next = next
    this.#usual = attributes
    this.currentId = found?.id
    this.row = found?.row
    this.stored = found?.row
    const { rolling, resave, saveUninitialized, watchesUnset } = engine.behavior
    if (rolling || resave || saveUninitialized || (watchesUnset && found)) this.hold()
  }

  /** `req.session` was set to nothing, or deleted. */
  abstract abandon(): void
  protected abstract source(): SessionOperations<Row>

  get id(): string {
    this.currentId ??= this.engine.behavior.newId?.(this.req) ?? newToken()
    return this.currentId
  }

  /** `req.session`. The first look at it parses the row and takes hold of the response. */
  get session(): Session<Row> | undefined {
    if (this.over === 'ended' || this.over === 'kept') return undefined
    return this.current ?? this.open()
  }

  /** `req.session.cookie`. */
  get cookie(): Cookie {
    return this.#cookie.cookie
  }

  get storedRow(): SessionRow | undefined {
    return this.stored
  }

  get storedCookie(): string | undefined {
    return this.textsNow().get(COOKIE_KEY)
  }

  /** Before the response goes out: what still runs, then what the application changed. */
  settle(): Awaitable<void> {
    if (this.over === undefined && !Object.hasOwn(this.req, 'session')) this.abandon()
    if (this.abandoned) return Promise.reject(this.abandoned.error)
    const running = this.#turns?.running
    if (running) return running.then(() => this.turns.take(() => this.saveNow()))
    const patch = this.#notice()
    if (patch) return this.turns.take(() => this.#save(patch))
  }

  /** What an application has asked for, one piece of work after the other. Most requests ask for nothing. */
  protected get turns(): SerialQueue {
    this.#turns ??= new SerialQueue()
    return this.#turns
  }

  get #cookie(): RequestCookie {
    this.#madeCookie ??= new RequestCookie(this.engine, this.req, this, this.#usual)
    return this.#madeCookie
  }

  failed(error: unknown): void {
    this.over ??= 'failed'
    this.#next(error)
  }

  protected saveNow(): Awaitable<void> {
    const patch = this.#notice()
    if (patch) return this.#save(patch)
  }

  /** Step three: notice. Undefined where there is nothing to save. */
  #notice(): SessionPatch | undefined {
    if (this.over || this.isReadOnly) return undefined
    const patch = this.current && notice(this.current, this.textsNow(), this.engine.reserved)
    const { rolling, resave, saveUninitialized } = this.engine.behavior
    if (this.stored === undefined) return patch ?? (saveUninitialized ? NO_CHANGE : undefined)
    if (this.#madeCookie?.isChanged) return Object.assign(emptyObject(), patch, { [COOKIE_KEY]: this.#cookie.text })
    return patch ?? (rolling || resave ? NO_CHANGE : undefined)
  }

  /** Step four: save. A row that is there is patched, never made again. */
  #save(patch: SessionPatch): Awaitable<void> {
    const row = this.stored
    if (row === undefined) return this.create(patch)
    const { rolling, resave, cookieCanChange } = this.engine.behavior
    const cookieChanged = COOKIE_KEY in patch
    const limited = cookieChanged ? this.#withLimits(row) : row
    if (rolling || cookieChanged || (cookieCanChange && row.persistent)) this.sendCookie(limited)
    if (patch === NO_CHANGE && !resave) return
    return after(this.engine.store.update(row.hash, patch), (updated) => {
      // Ended or replaced by another request, meanwhile. The write is dropped: a session that was ended does not come back.
      if (!updated) return this.#dropped()
      this.texts = patchTexts(this.textsNow(), patch)
      if (cookieChanged) this.#cookie.keep()
      return this.#see(limited)
    })
  }

  protected create(patch: SessionPatch): Awaitable<void> {
    const { clock, store, behavior } = this.engine
    const late = this.res.headersSent && this.outgoingCookie === undefined
    if (late || !this.#cookie.isWelcome) return
    const texts = new Map(patchTexts(NOTHING, patch))
    if (this.#cookie.isChanged || behavior.storesCookie) texts.set(COOKIE_KEY, this.#cookie.text)
    if (this.predecessor !== undefined) texts.set(PREDECESSOR_KEY, this.predecessor)
    const { persistent, ...limits } = this.#cookie.limits
    const hash = this.engine.keyOf(this.id)
    const row = newRow({ hash, data: writeTexts(texts), now: clock.now(), limits, persistent })
    const before = this.outgoingCookie
    // A session that nobody can come back to is not stored.
    if (!this.sendCookie(row)) return
    const undo = (error: unknown): never => {
      if (!this.res.headersSent) this.outgoingCookie = before
      throw error
    }
    try {
      const created = store.create(row)
      const done = (): void => {
        this.stored = row
        this.texts = texts
        this.#cookie.keep()
      }
      return isPromise(created) ? created.then(done, undo) : done()
    } catch (error) {
      return undo(error)
    }
  }

  protected open(): Session<Row> {
    const session = new this.engine.SessionClass(this.source())
    const texts = this.textsNow()
    if (texts.size > 0) fill(session, texts, this.engine.reserved)
    this.current = session
    this.hold()
    return session
  }

  protected hold(): void {
    if (this.#held) return
    this.#held = true
    hold(this.res, this)
  }

  protected textsNow(): ReadonlyMap<string, string> {
    this.texts ??= this.row ? textsOfRow(this.row) : NOTHING
    return this.texts
  }

  /** The cookie for a row; without one the cookie is taken away. Says whether it can go out. */
  protected sendCookie(row: SessionRow | undefined): boolean {
    const cookie = this.#cookie.write(row)
    if (cookie === undefined) return false
    this.outgoingCookie = cookie
    this.hold()
    return true
  }

  protected clearCookie({ where }: { readonly where: boolean }): void {
    if (where && this.#cookie.isWelcome) this.sendCookie(undefined)
  }

  protected forgetCookie(): void {
    this.#cookie.forget()
    this.outgoingCookie = undefined
  }

  /** Whether the session can be read only: it was replaced while this request was on its way. */
  protected get isReadOnly(): boolean {
    return this.stored !== undefined && isSuperseded(this.stored)
  }

  /** The row as it has to be with the cookie at hand, seen now. */
  #withLimits(row: SessionRow): SessionRow {
    const { idleMs, absoluteMs, persistent } = this.#cookie.limits
    return { ...row, idleMs, endsAt: row.createdAt + absoluteMs, persistent }
  }

  /** Marks the row as seen, with its limits where they changed. */
  #see(row: SessionRow): Awaitable<void> {
    const before = this.stored
    const { idleMs, endsAt, persistent } = row
    const limits = before === row ? undefined : { idleMs, endsAt, persistent }
    if (limits === undefined && !this.engine.behavior.resave) return
    const lastSeenAt = this.engine.clock.now()
    const expiresAt = expiryAfter(lastSeenAt, row)
    return after(this.engine.store.touch(row.hash, { lastSeenAt, expiresAt, limits }), (touched) => {
      if (!touched) return this.#dropped()
      this.stored = { ...row, lastSeenAt, expiresAt }
    })
  }

  #dropped(): void {
    this.over = 'deleted'
    if (!this.res.headersSent) this.outgoingCookie = undefined
  }
}
