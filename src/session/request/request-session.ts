// The session of one request: its operations run one after the other, and it is saved before the response.
import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { SerialQueue } from '../../domain/serial-queue.ts'
import type { Cookie } from '../cookies/cookie.ts'
import { MARKED } from '../cookies/marker.ts'
import { defineOwn } from '../data.ts'
import type { SessionRow } from '../store.ts'
import { readStoredCookie } from './detached-session.ts'
import type { Engine, LoadedSession } from './engine.ts'
import { isHeadOut } from './head.ts'
import { destroy, regenerate, reload } from './lifecycle.ts'
import type { RequestState, SessionRequest } from './request-state.ts'
import { type Deferring, defer } from './response.ts'
import { isMarkerLeftOver } from './same-site-reload.ts'
import { changesOf, saveChanges, touch } from './save.ts'
import type { Session } from './session.ts'
import { SessionHandle } from './session-handle.ts'
import type { SessionOperations } from './session-operations.ts'
import { gone, update } from './update.ts'

export class RequestSession<Row extends SessionRow = SessionRow> implements RequestState<Row>, SessionOperations<Row>, Deferring {
  readonly engine: Engine<Row>
  readonly request: SessionRequest
  isChanging = false
  readonly #found: LoadedSession<Row> | undefined
  /** Created at the first use: most requests only read the row. */
  #handle: SessionHandle<Row> | undefined
  outgoingCookies: readonly string[] | undefined
  /** The error of `req.session = null`. Nobody can catch it, so the response fails with it, however late it comes. */
  #failure: { readonly error: unknown } | undefined
  #madeQueue: SerialQueue | undefined
  #isDeferred = false
  /** Whether the request had the session cookie but not its marker. */
  readonly #isUnmarked: boolean

  constructor(engine: Engine<Row>, request: SessionRequest, found: LoadedSession<Row> | undefined) {
    this.engine = engine
    this.request = request
    this.#found = found
    const { rolling, resave, saveUninitialized, watchesUnset } = engine.behavior
    const { cookies, attributes } = request
    this.#isUnmarked = found !== undefined && attributes.sameSite === 'strict' && !cookies.markers.includes(MARKED)
    const changesMarker = this.#isUnmarked || (found === undefined && isMarkerLeftOver(request))
    if (rolling || resave || saveUninitialized || (watchesUnset && found) || changesMarker) this.#defer()
  }

  /** The marker alone needs no proof that the session still lives: it names none, and the next request of this site clears one left over. */
  get headCookies(): readonly string[] {
    if (this.outgoingCookies) return this.outgoingCookies
    const { storedRow, state, cookie } = this.handle
    if (this.#isUnmarked && state === 'live' && storedRow) return cookie.mark(storedRow)
    return isMarkerLeftOver(this.request) ? cookie.unmark() : []
  }

  get handle(): SessionHandle<Row> {
    this.#handle ??= new SessionHandle(this.engine, this.request, { found: this.#found })
    return this.#handle
  }

  get id(): string {
    return this.handle.id
  }

  get row(): Row | undefined {
    return this.#handle ? this.#handle.row : this.#found?.row
  }

  get cookie(): Cookie {
    return this.handle.cookie.cookie
  }

  /** `req.session`. The first access parses the row and defers the response. */
  get session(): Session<Row> | undefined {
    const { handle } = this
    if (handle.state === 'ended') return undefined
    if (handle.session) return handle.session
    this.#defer()
    return handle.open(this)
  }

  save(session: object): Promise<void> {
    const handle = this.#handleOf(session)
    return this.act(() => handle && saveChanges(this, handle))
  }

  reload(session: object): Promise<void> {
    const handle = this.#handleOf(session)
    return this.act(() => handle && reload(this, handle))
  }

  touch(session: object): Promise<void> {
    const handle = this.#handleOf(session)
    return this.act(() => {
      const row = handle?.state === 'live' ? handle.storedRow : undefined
      if (handle && row) return after(touch(this, handle, row), () => {})
    })
  }

  update<T>(session: object, change: (data: object) => Awaitable<T>): Promise<T> {
    const handle = this.#handleOf(session)
    return this.act(() => {
      if (handle === undefined) throw gone()
      return update(this, handle, change)
    })
  }

  regenerate(): Promise<void> {
    return regenerate(this)
  }

  destroy(): Promise<void> {
    return destroy(this)
  }

  /** A new, empty session with a new id; the stored one stays. */
  begin(): void {
    const handle = new SessionHandle(this.engine, this.request, {})
    handle.isSuccessor = this.#found !== undefined
    this.replaceHandle(handle)
    this.#defer()
    handle.open(this)
  }

  /** Replaces the data by what is stored, under the current id. */
  fill(stored: object): Session<Row> {
    if (this.handle.state === 'ended') this.begin()
    const session = this.session ?? this.handle.open(this)
    for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
    for (const [key, value] of Object.entries(stored)) if (!(key in session)) defineOwn(session, key, value)
    if ('cookie' in stored && !Object.isFrozen(this.cookie)) Object.assign(this.cookie, readStoredCookie(stored.cookie))
    return session
  }

  abandon(): void {
    if (this.engine.behavior.unset === 'keep') return this.handle.end()
    this.destroy().catch((error: unknown) => {
      this.#failure = { error }
    })
  }

  end(): void {
    this.handle.end()
    this.outgoingCookies = undefined
  }

  replaceHandle(handle: SessionHandle<Row>): void {
    this.#handle = handle
    this.outgoingCookies = undefined
  }

  act<T>(work: () => Awaitable<T>, atOnce?: () => void): Promise<T> {
    // It would wait for the change, and the change for it: a deadlock.
    if (this.isChanging)
      return Promise.reject(new TypeError('req.session.update: its function must change the data, and nothing else'))
    atOnce?.()
    this.#defer()
    return this.#queue.promise(work)
  }

  sendCookies(handle: SessionHandle<Row>, cookies: readonly string[]): void {
    if (handle !== this.handle || handle.state !== 'live') return
    this.outgoingCookies = cookies
    this.#defer()
  }

  clearCookie(handle: SessionHandle<Row>): void {
    const isLeft = handle === this.handle || this.handle.state === 'new'
    const cookies = isLeft && handle.cookie.isCarried && handle.cookie.isAllowed ? handle.cookie.clear() : undefined
    if (cookies !== undefined) this.outgoingCookies = cookies
  }

  lost(handle: SessionHandle<Row>): void {
    handle.lost()
    if (handle === this.handle && !isHeadOut(this.request.res)) this.outgoingCookies = undefined
  }

  /** Called before the response goes out: waits for running operations, then saves what the application changed. */
  flush(): Awaitable<void> {
    const { handle } = this
    const { state } = handle
    if (state !== 'ended' && state !== 'failed' && !Object.hasOwn(this.request.req, 'session')) this.abandon()
    if (this.#failure) throw this.#failure.error
    const running = this.#madeQueue?.running
    if (running) return running.then(() => this.#queue.take(() => saveChanges(this, this.handle)))
    const patch = changesOf(this, handle)
    const saving = patch && saveChanges(this, handle, patch)
    // A synchronous store needs no queue.
    if (isPromise(saving)) return this.#queue.take(() => saving)
  }

  failed(error: unknown): void {
    this.handle.fail()
    this.request.next(error)
  }

  /** Operations of an old session, or of one that has ended, do nothing. */
  #handleOf(session: object): SessionHandle<Row> | undefined {
    const { handle } = this
    return session === handle.session && handle.state !== 'ended' ? handle : undefined
  }

  #defer(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    defer(this.request.res, this)
  }

  get #queue(): SerialQueue {
    this.#madeQueue ??= new SerialQueue()
    return this.#madeQueue
  }
}
