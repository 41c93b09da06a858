// The flow cookie: names what lies between two steps of this browser. It carries no login.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { FLOW_MS } from '../core/flow.ts'
import type { HttpContext } from './http-context.ts'

type Site = Pick<HttpContext, 'cookieName' | 'origin'>

const TOKEN = /^[\w-]{43}$/

/** Sets the cookie, or lets it live on. It is Lax, as links in mails come from other sites. */
export function setFlowCookie(site: Site, res: ServerResponse, value: string): void {
  appendCookie(site, res, `${value}; Max-Age=${FLOW_MS / 1000}`)
}

export function clearFlowCookie(site: Site, res: ServerResponse): void {
  appendCookie(site, res, '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
}

/** Undefined if there is none, or if its value is none of ours. */
export function flowCookieOf({ cookieName }: Site, { headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const begin = `${nameOf(cookieName)}=`
  const pairs = headers.cookie?.split(';').map((pair) => pair.trim()) ?? []
  return pairs
    .filter((pair) => pair.startsWith(begin))
    .map((pair) => pair.slice(begin.length))
    .find((value) => TOKEN.test(value))
}

function nameOf(cookieName: string): string {
  return `${cookieName}-flow`
}

function appendCookie({ cookieName, origin }: Site, res: ServerResponse, valueAndAge: string): void {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  res.appendHeader('Set-Cookie', `${nameOf(cookieName)}=${valueAndAge}; Path=/; HttpOnly; SameSite=Lax${secure}`)
}
