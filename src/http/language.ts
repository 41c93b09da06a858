// Where a person goes on who changes the language with the button that stands on every page.
import type { Exchange } from './exchange.ts'
import { localPath, localReferer } from './return-to.ts'

/** Where a person comes back to who changes the language on this page; undefined where that is nowhere. `comesBack`: a form that was refused. */
export function pathOfPage({ http, req, entered }: Exchange, comesBack: boolean): string | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return withoutNotice(localPath(req.originalUrl))
  if (!comesBack) return withoutNotice(localReferer(req.headers.referer, http.origin))
  const path = localPath(req.originalUrl.split('?')[0])
  const returnTo = localPath(entered.returnTo)
  return returnTo === undefined ? path : `${path}?returnTo=${encodeURIComponent(returnTo)}`
}

/** What was told once is not told again. */
function withoutNotice(path: string | undefined): string | undefined {
  return path?.replace(/([?&])notice=[^&#]*&?/, '$1').replace(/[?&](?=#|$)/, '')
}
