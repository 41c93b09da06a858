// The session cookie of one request: its attributes, its lifetime, and whether it is sent.
import type { IncomingMessage } from 'node:http'
import type { SessionLimits } from '../../domain/session-lifetime.ts'
import type { DroppedBy, Engine } from '../request/engine.ts'
import { mayHoldSessionBack } from '../request/same-site-reload.ts'
import type { SessionRow } from '../store.ts'
import { Cookie, readCookieText, textOfCookie } from './cookie.ts'
import { MARKED } from './marker.ts'
import type { SessionCookies } from './read.ts'
import { overHttps } from './transport.ts'
import {
  type CookieAttributes,
  clearCookie,
  clearMarker,
  decidedSameSite,
  issueCookie,
  issueMarker,
  type SetCookieOptions,
  wholeSpan,
} from './write.ts'

/** What a session has stored of its cookie; undefined if the settings decide. */
export interface CookieOwner {
  readonly id: string
  readonly storedRow: SessionRow | undefined
  readonly storedCookie: string | undefined
}

export interface CookieRequest {
  readonly req: IncomingMessage
  readonly cookies: SessionCookies
  readonly attributes: CookieAttributes
}

type CookieEngine = Pick<Engine, 'cookie' | 'clock' | 'limits' | 'behavior'>

export class ResponseCookie {
  readonly #engine: CookieEngine
  readonly #request: CookieRequest
  /** The attributes of the settings. */
  readonly #defaults: CookieAttributes
  readonly #owner: CookieOwner
  #cookie: Cookie | undefined
  #textBefore = ''

  constructor(engine: CookieEngine, request: CookieRequest, owner: CookieOwner) {
    this.#engine = engine
    this.#request = request
    const { attributes } = request
    const { expiresAt } = attributes
    this.#defaults = expiresAt === undefined ? attributes : { ...attributes, maxAgeMs: wholeSpan(expiresAt - engine.clock.now()) }
    this.#owner = owner
  }

  get cookie(): Cookie {
    return this.#cookie ?? this.#open()
  }

  get text(): string {
    return textOfCookie(this.cookie)
  }

  get isChanged(): boolean {
    return this.#cookie !== undefined && !Object.isFrozen(this.#cookie) && this.text !== this.#textBefore
  }

  stored(): void {
    if (this.#cookie) this.#textBefore = this.text
  }

  /** The Set-Cookies with the id of a row; undefined if the browser would not keep them. */
  issue(row: SessionRow): readonly string[] | undefined {
    const options = this.#optionsFor(row)
    if (options === undefined || this.#isOver) return undefined
    return [issueCookie(this.#engine.cookie, this.#owner.id, options), ...this.#markerCookies(options)]
  }

  /** The Set-Cookies that delete the cookie; undefined if the browser would ignore them. */
  clear(): readonly string[] | undefined {
    const options = this.#optionsFor(undefined)
    const { name } = this.#engine.cookie
    return (
      options && [clearCookie(name, options), ...(options.attributes.sameSite === 'strict' ? [clearMarker(name, options)] : [])]
    )
  }

  /** The Set-Cookie of the marker alone, if the browser already has the session cookie; none if the cookie is not Strict. */
  mark(row: SessionRow): readonly string[] {
    const options = this.#optionsFor(row)
    return options ? this.#markerCookies(options) : []
  }

  unmark(): readonly string[] {
    const options = this.#optionsFor(undefined)
    return options ? [clearMarker(this.#engine.cookie.name, options)] : []
  }

  /** Whether the browser sent a cookie of this name, valid or not. */
  get isCarried(): boolean {
    return this.#request.cookies.hasSession
  }

  /** Whether this response may set or delete a cookie. */
  get isAllowed(): boolean {
    return !mayHoldSessionBack({ ...this.#request, attributes: this.#attributes })
  }

  /** How long a session with this cookie lives, and whether the cookie is persistent. */
  get limits(): SessionLimits & { readonly persistent: boolean } {
    const { limits, behavior } = this.#engine
    const maxAge = this.#maxAge
    if (maxAge === undefined) return { ...limits, persistent: false }
    // The `maxAge` of this one session goes before the settings for all.
    const isDefault = maxAge === this.#defaults.maxAgeMs
    const follows = behavior.idleFollowsCookie || !isDefault
    const absoluteMs = behavior.absoluteFollowsCookie ? Math.max(limits.absoluteMs, maxAge) : limits.absoluteMs
    return {
      idleMs: follows ? Math.max(1, maxAge) : limits.idleMs,
      // A fixed date ends the session: no later response renews the cookie.
      absoluteMs: isDefault && this.#defaults.expiresAt !== undefined ? Math.max(1, Math.min(absoluteMs, maxAge)) : absoluteMs,
      persistent: true,
    }
  }

  #markerCookies(options: SetCookieOptions): readonly string[] {
    return options.attributes.sameSite === 'strict' ? [issueMarker(this.#engine.cookie.name, MARKED, options)] : []
  }

  #optionsFor(row: SessionRow | undefined): SetCookieOptions | undefined {
    const attributes = this.#attributes
    if (!this.#isKept(attributes)) return undefined
    const now = this.#engine.clock.now()
    return { attributes, secure: this.#isSecure(attributes), maxAgeMs: maxAgeOf(attributes, row, now), now }
  }

  /** Whether this session's cookie may differ from the settings. */
  get #isSpecial(): boolean {
    return this.#engine.behavior.cookieCanChange && (this.#cookie !== undefined || this.#owner.storedCookie !== undefined)
  }

  /** Every response starts the maxAge again. */
  get #attributes(): CookieAttributes {
    return this.#isSpecial ? { ...this.cookie.attributes(), maxAgeMs: this.#maxAge } : this.#defaults
  }

  get #maxAge(): number | undefined {
    if (!this.#isSpecial) return this.#defaults.maxAgeMs
    const { originalMaxAge } = this.cookie
    if (Number.isNaN(originalMaxAge)) throw new TypeError('cookie.originalMaxAge must be a number of milliseconds, got NaN')
    return typeof originalMaxAge === 'number' ? wholeSpan(originalMaxAge) : undefined
  }

  /** Browsers keep a cookie with `Secure` only over HTTPS, and one for other sites only with `Secure`. */
  #isKept(attributes: CookieAttributes): boolean {
    const { onDropped } = this.#engine.behavior
    const cause = onDropped && this.#droppedBy(attributes)
    if (cause !== undefined) onDropped?.(cause)
    return cause === undefined
  }

  #droppedBy({ secure, sameSite, partitioned }: CookieAttributes): DroppedBy | undefined {
    const isHttps = overHttps(this.#request.req, this.#engine.behavior.transport)
    if (secure === true) return isHttps ? undefined : 'secure'
    if (secure === 'auto' && isHttps) return undefined
    if (sameSite === 'none') return 'sameSite'
    return partitioned ? 'partitioned' : undefined
  }

  /** Whether the settings give an expiry that has passed. */
  get #isOver(): boolean {
    const { maxAgeMs } = this.#defaults
    if (maxAgeMs === undefined || maxAgeMs > 0 || this.#maxAge !== maxAgeMs) return false
    this.#engine.behavior.onDropped?.('maxAge')
    return true
  }

  #isSecure({ secure }: CookieAttributes): boolean {
    return secure === 'auto' ? overHttps(this.#request.req, this.#engine.behavior.transport) : secure
  }

  #open(): Cookie {
    const { clock, behavior } = this.#engine
    const { storedRow, storedCookie } = this.#owner
    const { maxAgeMs = null, ...attributes } = this.#defaults
    const stored = storedCookie === undefined ? {} : readCookieText(storedCookie)
    const secure = this.#isSecure(attributes)
    const sameSite = decidedSameSite(attributes.sameSite, secure)
    const cookie = new Cookie({ ...attributes, secure, sameSite, originalMaxAge: maxAgeMs, ...stored }, clock)
    const { originalMaxAge } = cookie
    // Counted from when the session was last seen, or from now if the settings decide.
    const unseenMs = behavior.cookieCanChange && storedRow ? clock.now() - storedRow.lastSeenAt : 0
    const remainingMs = typeof originalMaxAge === 'number' ? originalMaxAge - unseenMs : undefined
    const maxAge = maxAgeOf({ ...this.#defaults, maxAgeMs: remainingMs }, storedRow, clock.now())
    if (maxAge !== undefined) {
      cookie.maxAge = maxAge
      if (originalMaxAge !== null) cookie.originalMaxAge = originalMaxAge
    }
    this.#textBefore = textOfCookie(cookie)
    this.#cookie = cookie
    if (!behavior.cookieCanChange) Object.freeze(cookie)
    return cookie
  }
}

/** How long the browser keeps the cookie, at most as long as the session can live; undefined until it is closed. */
function maxAgeOf(attributes: CookieAttributes, row: SessionRow | undefined, now: number): number | undefined {
  if (row === undefined) return attributes.maxAgeMs
  return row.persistent ? Math.min(attributes.maxAgeMs ?? Number.POSITIVE_INFINITY, row.endsAt - now) : undefined
}
