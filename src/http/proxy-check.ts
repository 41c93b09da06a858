// Warns once if `trust proxy` trusts everybody, or does not trust the proxy in front.
import type { Request } from 'express'
import type { Logger } from '../domain/logger.ts'

/** The headers by which a proxy names its client. */
const FORWARDING_HEADERS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded']

const UNTRUSTED =
  "A proxy is in front, and none is trusted: all visitors seem to come from one address and share its limits. For one proxy write app.set('trust proxy', 1), for guildhall serve TRUST_PROXY=1"
const ALL_TRUSTED =
  "app.set('trust proxy', true) believes whatever address a visitor makes up, so that no limit holds: write the number of proxies in front instead, app.set('trust proxy', 1) for one"

export class ProxyCheck {
  readonly #log: Pick<Logger, 'warn'>
  /** Whether the answer is known. */
  isDone = false

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log
  }

  check(req: Request): void {
    if (req.app.get('trust proxy') === true) return this.#warn(ALL_TRUSTED)
    for (const name of FORWARDING_HEADERS) {
      if (req.headers[name] === undefined) continue
      const isTrusted: (address: string | undefined, hop: number) => boolean = req.app.get('trust proxy fn')
      if (!isTrusted(req.socket.remoteAddress, 0)) this.#warn(UNTRUSTED)
      this.isDone = true
      return
    }
  }

  #warn(message: string): void {
    this.isDone = true
    this.#log.warn({ setting: 'trust proxy' }, message)
  }
}
