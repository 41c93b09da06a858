// `req.session.cookie`: the attributes of one session's cookie. Changes go out with the response.
import { isDate } from '../../domain/builtins.ts'
import { type Clock, systemClock } from '../../domain/clock.ts'
import { type CookieAttributes, wholeSpan, writeCookie } from './write.ts'

type SameSite = CookieAttributes['sameSite'] | true
/** Milliseconds or a Date; nothing, or false, for as long as the browser is open. */
type Span = number | false | null | undefined

/** The fields that a cookie is made from. Of `maxAge` and `expires` the later one in the object counts. */
export interface CookieFields {
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly httpOnly?: boolean | undefined
  readonly secure?: boolean | 'auto' | undefined
  readonly sameSite?: SameSite | undefined
  readonly partitioned?: boolean | undefined
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  readonly encode?: ((value: string) => string) | undefined
  readonly maxAge?: Span
  readonly expires?: Date | false | null | undefined
  readonly originalMaxAge?: Span
}

/** The stored form of a cookie, as express-session stores it. */
export type CookieData = Readonly<
  Pick<Cookie, 'originalMaxAge' | 'partitioned' | 'priority' | 'expires' | 'secure' | 'httpOnly' | 'domain' | 'path' | 'sameSite'>
>

const FIELDS = new Set(['path', 'domain', 'httpOnly', 'secure', 'sameSite', 'partitioned', 'priority', 'maxAge', 'expires'])

/** The cookie of a session, with the fields that express-session gives it. */
export class Cookie {
  path = '/'
  domain: string | undefined
  httpOnly: boolean | undefined = true
  secure: boolean | 'auto' | undefined
  sameSite: SameSite | undefined
  partitioned: boolean | undefined
  priority: 'low' | 'medium' | 'high' | undefined
  /** The `maxAge` that every request starts again, in milliseconds; null if the cookie lives until the browser is closed. */
  originalMaxAge: Span = null
  readonly #clock: Clock
  #expires: Date | false | null | undefined = null
  #encode: ((value: string) => string) | undefined

  constructor(fields: CookieFields = {}, clock: Clock = systemClock) {
    if (typeof fields !== 'object' || fields === null) throw new TypeError('Cookie: the fields must be an object')
    this.#clock = clock
    const { encode, originalMaxAge, ...others } = fields
    this.#encode = encode
    for (const [name, value] of Object.entries(others)) {
      // Only known fields: a stored `__proto__` or `toJSON` would replace the cookie's own.
      if (FIELDS.has(name) && value !== undefined) Reflect.set(this, name, value)
    }
    if (originalMaxAge !== undefined) this.originalMaxAge = originalMaxAge
  }

  /** When the browser deletes the cookie; null or false if it lives until the browser is closed. */
  get expires(): Date | false | null | undefined {
    return this.#expires
  }

  set expires(date: Date | false | null | undefined) {
    if (date && !isTime(date)) throw new TypeError(`cookie.expires must be a Date, false or null, got ${String(date)}`)
    this.#refuseIfFixed()
    this.#expires = date
    this.originalMaxAge = isDate(date) ? date.getTime() - this.#clock.now() : date
  }

  /** Milliseconds until the browser drops the cookie. Assigning it sets `expires`. */
  get maxAge(): Span {
    return isDate(this.#expires) ? this.#expires.getTime() - this.#clock.now() : this.#expires
  }

  set maxAge(span: Span | Date) {
    if (isDate(span)) {
      this.expires = span
      return
    }
    if (Number.isNaN(span) || (span && typeof span !== 'number'))
      throw new TypeError(`cookie.maxAge must be a number of milliseconds, got ${String(span)}`)
    this.#refuseIfFixed()
    const whole = typeof span === 'number' ? wholeSpan(span) : span
    this.#expires = typeof whole === 'number' ? new Date(this.#clock.now() + whole) : whole
    this.originalMaxAge = whole
  }

  get data(): CookieData {
    const { originalMaxAge, partitioned, priority, expires, secure, httpOnly, domain, path, sameSite } = this
    return { originalMaxAge, partitioned, priority, expires, secure, httpOnly, domain, path, sameSite }
  }

  toJSON(): CookieData {
    return this.data
  }

  /** A Set-Cookie with this name and value. */
  serialize(name: string, value: string): string {
    const attributes = this.attributes()
    const { encode = encodeURIComponent } = attributes
    const secure = attributes.secure === true
    return writeCookie(name, encode(value), { attributes, secure, maxAgeMs: attributes.maxAgeMs, now: this.#clock.now() })
  }

  /** The attributes of this cookie's Set-Cookie. */
  attributes(): CookieAttributes {
    const { path, domain, httpOnly, secure, sameSite, partitioned, priority, maxAge } = this
    return {
      path,
      domain,
      httpOnly: Boolean(httpOnly),
      secure: secure === 'auto' ? secure : Boolean(secure),
      sameSite: sameSite === true ? 'strict' : lowerCase(sameSite || false),
      partitioned,
      priority: lowerCase(priority),
      encode: this.#encode,
      maxAgeMs: typeof maxAge === 'number' ? maxAge : undefined,
    }
  }

  /** A cookie that the settings decide is frozen, but freezing does not protect its private fields. */
  #refuseIfFixed(): void {
    if (Object.isFrozen(this))
      throw new TypeError('req.session.cookie cannot be changed here: the settings decide how long a login lasts')
  }
}

/** Attributes are compared in lower case. */
function lowerCase<T>(word: T): T {
  // Lowered, a word of a list is a word of that list.
  return typeof word === 'string' ? (word.toLowerCase() as T) : word
}

function isTime(date: unknown): date is Date {
  return isDate(date) && !Number.isNaN(date.getTime())
}

/** The text that is stored if the cookie was changed, and by which a change is found. Passing time is no change. */
export function textOfCookie(cookie: Cookie): string {
  const { expires: _, ...lasting } = cookie.data
  return JSON.stringify(lasting)
}

/** The fields of a cookie that `textOfCookie` stored. Anything else in it is ignored. */
export function readCookieText(text: string): CookieFields {
  const stored: unknown = JSON.parse(text)
  return typeof stored === 'object' && stored !== null ? stored : {}
}
