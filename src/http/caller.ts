// Who asks, made from a request. `req.ip` is Express's: it believes a forwarding header only as far as `trust proxy` says.
import type { Request } from 'express'
import type { Caller, NewSession } from '../core/core.ts'
import { plainAddress } from '../domain/address.ts'
import type { Locale } from '../i18n/translate.ts'
import type { LiveSession } from '../storage/contract.ts'
import type { HttpContext } from './http-context.ts'
import { chosenLanguage } from './language-cookie.ts'

const LONGEST_USER_AGENT = 300

/**
 * A class, not an object with a getter: V8 makes a hidden class of its own for each object literal with a getter that closes over
 * something, in old space, which kept every request alive until a full collection and cost a third of the time of a read.
 */
export class RequestCaller implements Caller {
  readonly #http: HttpContext
  readonly #req: Request

  constructor(http: HttpContext, req: Request) {
    this.#http = http
    this.#req = req
  }

  get ip(): string | undefined {
    return plainAddress(this.#req.ip)
  }

  get userAgent(): string | undefined {
    return this.#req.headers['user-agent']?.slice(0, LONGEST_USER_AGENT)
  }

  get language(): Locale | undefined {
    return chosenLanguage(this.#req)
  }

  get session(): LiveSession | undefined {
    return this.#http.sessions.row(this.#req)
  }

  startSession(login: NewSession): Promise<LiveSession> {
    return this.#http.sessions.renew(this.#req, login)
  }

  /**
   * no-store is not enough: Chromium keeps pages for its Back button all the same, and shows the page that a login led to even after
   * the logout. `cache` makes it forget them; nothing else of the site's data is ours to clear.
   */
  async endSession(): Promise<void> {
    await this.#http.sessions.end(this.#req)
    const { res } = this.#req
    if (res && !res.headersSent) res.setHeader('Clear-Site-Data', '"cache"')
  }
}
