// The page that a mailed link leads to: the token leaves the address at once.
import { openLink } from '../core/mailed-link.ts'
import type { TokenPurpose } from '../core/tokens.ts'
import { isLoopback } from '../domain/address.ts'
import type { Settings } from '../settings/options.ts'
import type { Page } from './page.ts'
import type { RequestContext } from './request-context.ts'
import { sendTo } from './respond.ts'

/**
 * `?token=` is answered with 303 to the path alone and the number of a flow, `?flow=`: reloaded and in another language the page stays that
 * of its own mail, whatever other tabs have opened. HEAD, which programs send to look at a link, begins no flow.
 */
export function linkPage(purpose: TokenPurpose, page: Page): Page {
  return {
    async show(context) {
      setPolicy(context)
      const token = context.query('token')
      if (token === undefined) return page.show(context)
      const { core, req, res, caller } = context
      // From here on no request says where it came from, not even the next one of this redirect.
      res.setHeader('Referrer-Policy', 'no-referrer')
      const number = req.method === 'HEAD' ? undefined : await openLink(core, purpose, token, caller)
      sendTo(res, number === undefined ? req.path : `${req.path}?flow=${number}`)
    },
    showRefused(context, error) {
      setPolicy(context)
      return page.showRefused(context, error)
    },
  }
}

/**
 * Under `no-referrer` a form says `Origin: null`, and only Fetch Metadata tells that it is ours: browsers send none to a site without HTTPS,
 * whose address holds no token any more by now.
 */
function setPolicy({ res, core }: RequestContext): void {
  if (sendsFetchMetadata(core.settings)) res.setHeader('Referrer-Policy', 'no-referrer')
}

function sendsFetchMetadata({ baseUrl: { protocol, hostname } }: Settings): boolean {
  return protocol === 'https:' || isLoopback(hostname)
}
