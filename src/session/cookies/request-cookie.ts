// The cookie of the session of one request: what it says, whether the application changed it, how long a session with it lives.
import type { IncomingMessage } from 'node:http'
import type { SessionLimits } from '../../domain/session-lifetime.ts'
import type { Engine } from '../request/engine.ts'
import type { SessionRow } from '../store.ts'
import { type CookieAttributes, wholeSpan } from './cookie.ts'
import { cookieOf, isStranger, maxAgeOf, noCookie, overHttps, reachesBrowser } from './response-cookie.ts'
import { Cookie, readCookieText, textOfCookie } from './session-cookie.ts'

/** What a session has stored of its cookie; undefined where it looks as the settings say. */
export interface CookieOwner {
  readonly id: string
  readonly storedRow: SessionRow | undefined
  readonly storedCookie: string | undefined
}

type CookieEngine = Pick<Engine, 'cookie' | 'clock' | 'limits' | 'behavior'>

export class RequestCookie {
  readonly #engine: CookieEngine
  readonly #req: IncomingMessage
  readonly #owner: CookieOwner
  /** As the settings say. */
  readonly #usual: CookieAttributes
  #cookie: Cookie | undefined
  #textBefore = ''
  #attributesBefore: CookieAttributes | undefined

  constructor(engine: CookieEngine, req: IncomingMessage, owner: CookieOwner, usual: CookieAttributes) {
    this.#engine = engine
    this.#req = req
    this.#owner = owner
    this.#usual = usual
  }

  /** `req.session.cookie`. */
  get cookie(): Cookie {
    return this.#cookie ?? this.#open()
  }

  /** What is stored of the cookie. */
  get text(): string {
    return textOfCookie(this.cookie)
  }

  get isChanged(): boolean {
    return this.#cookie !== undefined && !Object.isFrozen(this.#cookie) && this.text !== this.#textBefore
  }

  /** The change is stored. */
  keep(): void {
    if (this.#cookie) this.#textBefore = this.text
  }

  /** Lets go of the cookie: the session has gone. To take it away from the browser its attributes are needed once more. */
  forget(): void {
    this.#attributesBefore = this.#attributes
    this.#cookie = undefined
  }

  /** The Set-Cookie that hands out the id of a row, or takes the cookie away; undefined where the browser cannot get it. */
  write(row: SessionRow | undefined): string | undefined {
    const { cookie: settings, clock, behavior } = this.#engine
    const { transport, onInsecure } = behavior
    const attributes = row ? this.#attributes : (this.#attributesBefore ?? this.#attributes)
    if (onInsecure && !reachesBrowser(this.#req, attributes, transport)) {
      onInsecure()
      return undefined
    }
    if (row === undefined) return noCookie(this.#req, settings.name, attributes, transport)
    return cookieOf(this.#req, settings, { id: this.#owner.id, row, attributes, transport, now: clock.now() })
  }

  /** Whether a cookie may be set or taken away by this answer. */
  get isWelcome(): boolean {
    return !isStranger(this.#req, this.#engine.cookie, this.#attributes)
  }

  /** How long a session with this cookie lives, and whether the cookie outlives the browser. */
  get limits(): SessionLimits & { readonly persistent: boolean } {
    const { limits, behavior } = this.#engine
    const maxAge = this.#maxAge
    if (maxAge === undefined) return { ...limits, persistent: false }
    // What was asked for this one session goes before what is asked for all.
    const follows = behavior.idleFollowsCookie || maxAge !== this.#usual.maxAgeMs
    return {
      idleMs: follows ? Math.max(1, maxAge) : limits.idleMs,
      absoluteMs: behavior.absoluteFollowsCookie ? Math.max(limits.absoluteMs, maxAge) : limits.absoluteMs,
      persistent: true,
    }
  }

  /** Whether this session's cookie may look other than the settings say. */
  get #isSpecial(): boolean {
    return this.#engine.behavior.cookieCanChange && (this.#cookie !== undefined || this.#owner.storedCookie !== undefined)
  }

  /** Every answer begins the maxAge anew. */
  get #attributes(): CookieAttributes {
    return this.#isSpecial ? { ...this.cookie.attributes(), maxAgeMs: this.#maxAge } : this.#usual
  }

  get #maxAge(): number | undefined {
    if (!this.#isSpecial) return this.#usual.maxAgeMs
    const { originalMaxAge } = this.cookie
    if (Number.isNaN(originalMaxAge)) throw new TypeError('cookie.originalMaxAge must be a number of milliseconds, got NaN')
    return typeof originalMaxAge === 'number' ? wholeSpan(originalMaxAge) : undefined
  }

  #open(): Cookie {
    const { clock, behavior } = this.#engine
    const { storedRow, storedCookie } = this.#owner
    const { maxAgeMs = null, ...looks } = decided(this.#usual, overHttps(this.#req, behavior.transport))
    const stored = storedCookie === undefined ? {} : readCookieText(storedCookie)
    const cookie = new Cookie({ ...looks, originalMaxAge: maxAgeMs, ...stored }, clock)
    const { originalMaxAge } = cookie
    // It counts from the last time the session was seen; where the settings decide, from now.
    const unseenMs = behavior.cookieCanChange && storedRow ? clock.now() - storedRow.lastSeenAt : 0
    const left = typeof originalMaxAge === 'number' ? originalMaxAge - unseenMs : undefined
    const maxAge = maxAgeOf({ ...this.#usual, maxAgeMs: left }, storedRow, clock.now())
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

/** What `'auto'` comes to on this connection. */
function decided(attributes: CookieAttributes, isSecure: boolean): CookieAttributes {
  const { secure, sameSite } = attributes
  return {
    ...attributes,
    secure: secure === 'auto' ? isSecure : secure,
    sameSite: sameSite === 'auto' ? (isSecure ? 'none' : 'lax') : sameSite,
  }
}
