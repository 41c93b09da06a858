// The cookie with the language that a visitor chose in this browser.
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import { LOCALES, type Locale } from '../i18n/translate.ts'
import type { HttpContext } from './http-context.ts'

const NAME = 'guildhall-language'
const COOKIE = new RegExp(`(?:^|;\\s*)${NAME}=([A-Za-z-]{2,16})(?:;|$)`)
const MAX_AGE_SECONDS = 400 * 86_400 // RFC 6265bis: browsers keep no cookie for more than 400 days.

/** Sets the cookie. It is Lax, so that it also comes with links from mails and other sites; it carries no login. */
export function keepLanguage({ origin }: Pick<HttpContext, 'origin'>, res: Response, locale: Locale): void {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  res.appendHeader('Set-Cookie', `${NAME}=${locale}; Max-Age=${MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax${secure}`)
}

/** The language in the cookie; undefined if there is none, or if its value is invalid. */
export function chosenLanguage({ headers }: Pick<IncomingMessage, 'headers'>): Locale | undefined {
  const kept = COOKIE.exec(headers.cookie ?? '')?.[1]
  return LOCALES.find((locale) => locale === kept)
}
