// The language that a visitor chose in this browser: kept in a cookie, which nobody gets who did not choose.
import type { Response } from 'express'
import type { Locale } from '../i18n/translate.ts'
import type { Exchange } from './exchange.ts'
import type { Http } from './http.ts'
import { localPath, localReferer } from './return-to.ts'

const LONGEST_SECONDS = 400 * 86_400 // RFC 6265bis: user agents cap lifetimes at 400 days.

/** Sets the cookie that `translatorFor` reads. Lax, so that a link from a mail or another site finds the language too; it carries no login. */
export function keepLanguage({ origin }: Pick<Http, 'origin'>, res: Response, locale: Locale): void {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  res.appendHeader(
    'Set-Cookie',
    `guildhall-language=${locale}; Max-Age=${LONGEST_SECONDS}; Path=/; HttpOnly; SameSite=Lax${secure}`,
  )
}

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
