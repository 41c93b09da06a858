// The files that every site has for browsers, search engines, password managers and researchers.
import type { RequestHandler } from 'express'
import { isRead } from '../http/origin-check.ts'
import { refuseMethod, sendTo, setHeaders } from '../http/respond.ts'
import { sendStaticFile } from '../http/send-static-file.ts'
import { StaticFile } from '../http/static-file.ts'
import { readFavicon } from '../views/assets.ts'
import type { AppContext } from './app-context.ts'

const CACHING = 'public, max-age=86400'
const DAY_MS = 86_400_000
/** RFC 9116 section 2.5.5 recommends less than a year. */
const SECURITY_TXT_DAYS = 180

/** https://w3c.github.io/webappsec-change-password-url: the button "Change password" of a password manager opens it. */
const CHANGE_PASSWORD = '/.well-known/change-password'

export const SITE_FILES = ['/robots.txt', '/favicon.ico', '/.well-known/security.txt', CHANGE_PASSWORD] as const

export function siteFiles({ internals: { http, core }, config }: AppContext): RequestHandler {
  const robots = new StaticFile(TEXT, `User-agent: *\nDisallow: ${http.path}/account/\nDisallow: ${http.path}/api/\n`)
  const favicon = new StaticFile('image/vnd.microsoft.icon', readFavicon())
  const { securityContact } = config
  let security: { readonly expires: string; readonly file: StaticFile } | undefined
  const securityFile = (contact: string): StaticFile => {
    const expires = securityExpiry(core.clock.now())
    if (security?.expires !== expires)
      security = { expires, file: new StaticFile(TEXT, securityText(contact, http.origin, expires)) }
    return security.file
  }
  const files: Readonly<Record<string, () => StaticFile>> = {
    '/robots.txt': () => robots,
    '/favicon.ico': () => favicon,
    // Without a contact there is no security.txt (RFC 9116 section 2.5.3).
    ...(securityContact !== undefined && {
      '/.well-known/security.txt': () => securityFile(securityContact),
    }),
  }
  return (req, res, next) => {
    const { path } = req
    const file = Object.hasOwn(files, path) ? files[path] : undefined
    const to = path === CHANGE_PASSWORD ? http.url('password.page') : undefined
    if (!file && to === undefined) return next()
    if (file && isRead(req)) return sendStaticFile(req, res, file(), CACHING)
    setHeaders(res)
    if (to !== undefined && isRead(req)) return sendTo(res, to)
    refuseMethod(http, req, res, ['GET', 'HEAD'])
  }
}

const TEXT = 'text/plain; charset=utf-8'

/** Rounded to days, so that text and ETag stay the same for a day. */
function securityExpiry(now: number): string {
  return new Date((Math.floor(now / DAY_MS) + SECURITY_TXT_DAYS) * DAY_MS).toISOString()
}

function securityText(contact: string, origin: string, expires: string): string {
  return `Contact: ${contact}\nExpires: ${expires}\nCanonical: ${origin}/.well-known/security.txt\n`
}
