// The language of a person: chosen in this browser, else stored for the user, else the browser's, else the site's.
import type { IncomingMessage } from 'node:http'
import { pickLocale } from '../i18n/pick-locale.ts'
import type { Locale } from '../i18n/translate.ts'
import type { HttpContext } from './http-context.ts'
import { chosenLanguage } from './language-cookie.ts'

export function localeFor(http: HttpContext, req: IncomingMessage): Locale {
  const stored = http.sessions.row(req)?.user?.locale
  return pickLocale([chosenLanguage(req), stored], req.headers['accept-language'], http.core.settings.locale)
}
