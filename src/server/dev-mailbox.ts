// `/dev/mailbox`: shows the mails of development, by the key from the terminal.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { RequestHandler, Response } from 'express'
import { isLoopback } from '../domain/address.ts'
import { escapeHtml } from '../domain/escape-html.ts'
import { newToken, sameSecret } from '../domain/secret.ts'
import { isRead } from '../http/origin-check.ts'
import { sendPage, sendText, setHeaders } from '../http/respond.ts'
import { DevelopmentMailer } from '../mail/development.ts'
import type { Internals } from '../membership.ts'
import type { Config } from './config.ts'

export interface DevMailbox {
  /** Its address, with the key. */
  readonly url: string
  readonly handle: RequestHandler
}

const PATH = '/dev/mailbox'
/** For developers, in English as the log is. */
const TEXTS = {
  title: 'Mails of this machine',
  lead: 'In development mails are kept here and sent to nobody: the last fifty, the newest first, until the server ends.',
  empty: 'There is none yet.',
  asText: 'As text',
}
/** As a webmail shows it: no script, nothing loaded, an origin of its own; its links open. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Undefined if mails are sent, or if other machines could reach the server. */
export function openDevMailbox({ core, http }: Internals, { host }: Pick<Config, 'host'>): DevMailbox | undefined {
  const { mailer, settings } = core
  const isLocal = isLoopback(settings.baseUrl.hostname) && isLoopback(host)
  if (!isLocal || settings.production || !(mailer instanceof DevelopmentMailer)) return undefined
  // Other programs and users of this machine come from loopback too, and mails hold links that open accounts.
  const key = newToken()
  const style = [...http.assets.keys()].find((path) => path.endsWith('.css')) ?? ''
  const views = new Eta({
    views: fileURLToPath(new URL('.', import.meta.url)),
    autoEscape: true,
    autoTrim: false,
    escapeFunction,
  })
  return {
    url: `${http.origin}${PATH}?key=${key}`,
    handle(req, res, next) {
      const { path, query } = req
      const isOurs = path === PATH || path.startsWith(`${PATH}/`)
      if (!isOurs || !isRead(req) || typeof query.key !== 'string' || !sameSecret(query.key, key)) return next()
      setHeaders(res)
      // The URL contains the key.
      res.setHeader('Referrer-Policy', 'no-referrer')
      if (path === PATH)
        return sendPage(
          res,
          200,
          views.render('/dev-mailbox.eta', { kept: mailer.kept, key, path: PATH, texts: TEXTS, style: http.path + style }),
        )
      const [, number, form] = /^\/(\d{1,9})(\.txt)?$/.exec(path.slice(PATH.length)) ?? []
      const found = mailer.kept.find((one) => one.number === Number(number))
      if (!found) return next()
      if (form !== undefined) return sendText(res, 200, 'text/plain; charset=utf-8', found.mail.text)
      sendMail(res, found.mail.html)
    },
  }
}

function sendMail(res: Response, html: string): void {
  res.setHeader('Content-Security-Policy', MAIL_POLICY)
  sendPage(res, 200, html)
}

function escapeFunction(value: unknown): string {
  return escapeHtml(String(value))
}
