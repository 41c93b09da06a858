// Where a person goes on who changes the language with the button that stands on every page.
import type { PageContext } from './http-context.ts'
import { localPath, localReferer } from './return-to.ts'

/**
 * Where a person comes back to who changes the language on this page. `comesBack`: a form that was refused, and has a page at its path.
 * A write that has none leads to where the person wanted to go or came from, else home: its own path cannot be opened.
 */
export function pathOfPage({ http, req, returnTo }: PageContext, comesBack: boolean): string | undefined {
  if (req.method === 'GET' || req.method === 'HEAD') return withoutNotice(localPath(req.originalUrl))
  if (!comesBack) return withoutNotice(returnTo ?? localReferer(req.headers.referer, http.origin)) ?? http.home
  const path = localPath(req.originalUrl.split('?')[0])
  return returnTo === undefined ? path : `${path}?returnTo=${encodeURIComponent(returnTo)}`
}

/** What was told once is not told again. */
function withoutNotice(path: string | undefined): string | undefined {
  return path?.replace(/([?&])notice=[^&#]*&?/, '$1').replace(/[?&](?=#|$)/, '')
}
