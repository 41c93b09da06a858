// Everything known about one session id: row, values, cookie, object, state. A new id is a new handle.
import { newToken } from '../../domain/secret.ts'
import { type CookieOwner, type CookieRequest, ResponseCookie } from '../cookies/response-cookie.ts'
import { COOKIE_KEY, NO_VALUES, PREDECESSOR_KEY, patchValues, type SerialisedValues, valuesOfRow } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch, SessionRow } from '../store.ts'
import { fill } from './diff.ts'
import type { Engine, LoadedSession } from './engine.ts'
import type { Session } from './session.ts'
import type { SessionOperations } from './session-operations.ts'

/**
 * - `new`: no row yet; the first change makes one, and its cookie goes out with it.
 * - `live`: changes are patched into its row.
 * - `read-only`: superseded, or ended elsewhere. It can be read as it was; nothing is written, no cookie is set.
 * - `ended`: by this request. There is no `req.session`; the cookie is cleared once the row is gone.
 * - `failed`: it can be read; nothing is written, no cookie is set.
 */
export type SessionState = 'new' | 'live' | 'read-only' | 'ended' | 'failed'

export class SessionHandle<Row extends SessionRow = SessionRow> implements CookieOwner {
  /** Whether the id came with the request, so that other requests know it. */
  readonly isShared: boolean
  state: SessionState
  /** Whether this request wrote it or marked it as seen. */
  isSaved = false
  /** Whether it replaces a live session of the request: its id is sent even if it is empty. */
  isSuccessor = false
  /** The object of the application, once it was accessed. */
  session: Session<Row> | undefined
  /** The row that is written to: the live one, or one created by this request. */
  storedRow: SessionRow | undefined
  /** Undefined until it is read. */
  usedCookie: ResponseCookie | undefined
  readonly #engine: Engine<Row>
  readonly #request: CookieRequest
  readonly #replaces: SessionHandle<Row> | undefined
  #row: Row | undefined
  #id: string | undefined
  #values: SerialisedValues | undefined

  constructor(
    engine: Engine<Row>,
    request: CookieRequest,
    from: {
      readonly found?: LoadedSession<Row> | undefined
      readonly made?: LoadedSession<Row>
      readonly replaces?: SessionHandle<Row>
    },
  ) {
    const { found, made = found, replaces } = from
    this.#engine = engine
    this.#request = request
    this.#replaces = replaces
    this.#id = made?.id
    this.#row = made?.row
    this.storedRow = made?.row
    this.state = made === undefined ? 'new' : isSuperseded(made.row) ? 'read-only' : 'live'
    this.isShared = found !== undefined
  }

  get isWritable(): boolean {
    return this.state === 'new' || this.state === 'live'
  }

  get id(): string {
    this.#id ??= this.#engine.behavior.newId?.(this.#request.req) ?? newToken()
    return this.#id
  }

  /** The live row, as read from the store. */
  get row(): Row | undefined {
    return this.state === 'ended' ? undefined : this.#row
  }

  get values(): SerialisedValues {
    this.#values ??= this.#row ? valuesOfRow(this.#row) : NO_VALUES
    return this.#values
  }

  get cookie(): ResponseCookie {
    this.usedCookie ??= new ResponseCookie(this.#engine, this.#request, this)
    return this.usedCookie
  }

  get storedCookie(): string | undefined {
    return this.values.get(COOKIE_KEY)
  }

  /** The anonymous session that a bare `regenerate` replaced by this one. Concurrent requests may read it for a while; it ends with this one. */
  get predecessor(): string | undefined {
    const row = this.#replaces?.storedRow
    return row === undefined || row.userId !== undefined ? this.values.get(PREDECESSOR_KEY) : row.hash
  }

  open(operations: SessionOperations<Row>): Session<Row> {
    const session = this.#engine.makeSession(operations)
    if (this.values.size > 0) fill(session, this.values, this.#engine.reserved)
    this.session = session
    return session
  }

  reread(row: Row): void {
    this.#row = row
    this.storedRow = row
    this.#values = valuesOfRow(row)
    if (this.isWritable && isSuperseded(row)) this.state = 'read-only'
  }

  created(row: SessionRow, values: SerialisedValues): void {
    this.storedRow = row
    this.#values = values
    this.isSaved = true
    this.usedCookie?.stored()
    if (this.state === 'new') this.state = 'live'
  }

  patched(patch: SessionPatch): void {
    this.#values = patchValues(this.values, patch)
    this.isSaved = true
    if (COOKIE_KEY in patch) this.usedCookie?.stored()
  }

  touched(row: SessionRow): void {
    this.storedRow = row
    this.isSaved = true
  }

  lost(): void {
    if (this.isWritable) this.state = 'read-only'
  }

  end(): void {
    this.state = 'ended'
  }

  fail(): void {
    if (this.isWritable) this.state = 'failed'
  }
}
