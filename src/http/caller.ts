// The caller of a use case, made from a request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, NewLoginSession } from '../core/caller.ts'
import type { Limit } from '../core/throttle.ts'
import { Tries } from '../core/tries.ts'
import { plainAddress } from '../domain/address.ts'
import { MembershipError } from '../domain/errors.ts'
import { digest, newToken } from '../domain/secret.ts'
import type { Locale } from '../i18n/translate.ts'
import type { Priority } from '../passwords/pool.ts'
import type { SessionWithUser } from '../storage/contract.ts'
import { clearFlowCookie, flowCookieOf, setFlowCookie } from './flow-cookie.ts'
import type { HttpContext } from './http-context.ts'
import { chosenLanguage } from './language-cookie.ts'
import { localeFor } from './locale-for.ts'
import { isAllowedOrigin, isUnsafe } from './origin-check.ts'
import { requestIdOf } from './request-id.ts'

const MAX_USER_AGENT = 300

/** A request of Express, or of Node's own if there is no application. */
interface CallerRequest extends IncomingMessage {
  readonly ip?: string | undefined
  readonly path?: string
  readonly res?: ServerResponse | undefined
}

/** A class, as V8 keeps an object literal whose getters are closures, and with it the request, alive until a full garbage collection. */
export class RequestCaller implements Caller {
  readonly actor = undefined
  readonly #http: HttpContext
  readonly #req: CallerRequest
  /** The throttle slots of this request. */
  tries: Tries | undefined
  /** The flow cookie that this response sets. */
  #newFlow: string | undefined

  constructor(http: HttpContext, req: CallerRequest) {
    this.#http = http
    this.#req = req
  }

  /** Express computes `req.ip`: it trusts forwarding headers only as far as `trust proxy` says. */
  get ip(): string | undefined {
    return plainAddress(this.#req.ip)
  }

  get userAgent(): string | undefined {
    return this.#req.headers['user-agent']?.slice(0, MAX_USER_AGENT)
  }

  get locale(): Locale | undefined {
    return chosenLanguage(this.#req)
  }

  get language(): Locale {
    return localeFor(this.#http, this.#req)
  }

  get requestId(): string {
    return requestIdOf(this.#req)
  }

  get session(): SessionWithUser | undefined {
    return this.#http.sessions.row(this.#req)
  }

  get priority(): Priority {
    return this.tries?.priority ?? 'normal'
  }

  async count(limit: Limit, subject: string): Promise<void> {
    this.tries ??= new Tries(this.#http.core)
    try {
      await this.tries.take(limit, subject)
    } catch (error) {
      const { path = '' } = this.#req
      if (error instanceof MembershipError && error.code === 'too_many_requests')
        this.#http.core.events.emit('refused', { code: 'too_many_requests', path, ip: this.ip, requestId: this.requestId })
      throw error
    }
  }

  refuseCrossSite(): void {
    const { method = '', path = '' } = this.#req
    if (!isUnsafe(method) || isAllowedOrigin(this.#http, this.#req)) return
    this.#http.core.events.emit('refused', { code: 'cross_site_request', path, ip: this.ip, requestId: this.requestId })
    throw new MembershipError('cross_site_request')
  }

  startSession(login: NewLoginSession): Promise<SessionWithUser> {
    return this.#http.sessions.renew(this.#req, login)
  }

  /** Chromium keeps pages for its Back button in spite of no-store, even after a logout; `cache` deletes them. */
  async endSession(): Promise<void> {
    await this.#http.sessions.end(this.#req)
    const { res } = this.#req
    if (res && !res.headersSent) res.setHeader('Clear-Site-Data', '"cache"')
  }

  get flowHash(): string | undefined {
    const value = this.#flow
    return value === undefined ? undefined : digest(value)
  }

  keepFlowCookie(): string {
    const isSet = this.#newFlow !== undefined
    const value = this.#flow ?? newToken()
    this.#newFlow = value
    const { res } = this.#req
    if (!isSet && res && !res.headersSent) setFlowCookie(this.#http, res, value)
    return digest(value)
  }

  dropFlowCookie(): void {
    const { res } = this.#req
    if (res && !res.headersSent) clearFlowCookie(this.#http, res)
  }

  get #flow(): string | undefined {
    return this.#newFlow ?? flowCookieOf(this.#http, this.#req)
  }
}
