// The language that a visitor chose in this browser, in a cookie.
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import { LOCALES, type Locale } from '../i18n/translate.ts'
import type { HttpContext } from './http-context.ts'

const NAME = 'guildhall-language'
const COOKIE = new RegExp(`(?:^|;\\s*)${NAME}=([A-Za-z-]{2,16})(?:;|$)`)
const MAX_AGE_SECONDS = 400 * 86_400 // RFC 6265bis: user agents cap lifetimes at 400 days.

/** Lax, so that a link from a mail or another site finds the language too; it carries no login. */
export function keepLanguage({ origin }: Pick<HttpContext, 'origin'>, res: Response, locale: Locale): void {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  res.appendHeader('Set-Cookie', `${NAME}=${locale}; Max-Age=${MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax${secure}`)
}

/** What was kept; undefined where nothing was, or where somebody else wrote the cookie. */
export function chosenLanguage({ headers }: Pick<IncomingMessage, 'headers'>): Locale | undefined {
  const kept = COOKIE.exec(headers.cookie ?? '')?.[1]
  return LOCALES.find((locale) => locale === kept)
}
