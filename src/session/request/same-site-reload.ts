// A link from another site brings no Strict cookie: the page that asks once more, from this site.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { escapeHtml } from '../../domain/escape-html.ts'
import { countReload } from '../cookies/marker.ts'
import { addressOf, type SessionCookies } from '../cookies/read.ts'
import { addCookies } from '../cookies/response-head.ts'
import type { CookieAttributes } from '../cookies/write.ts'

export interface ReloadTexts {
  /** A language tag, for `<html lang>`. */
  readonly lang: string
  /** What the tab says. */
  readonly title: string
  readonly heading: string
  readonly sentence: string
  /** Of the link, for whoever sees no refresh. */
  readonly link: string
}

export interface ReloadSettings {
  /** Scheme, host and port that people see. Default: those of the page, whatever they are. */
  readonly origin?: string | undefined
  /** Default: English. */
  texts?(req: IncomingMessage): ReloadTexts
}

const ENGLISH: ReloadTexts = {
  lang: 'en',
  title: 'One moment',
  heading: 'One moment',
  sentence: 'We are opening the page for you.',
  link: 'Open it now',
}

// It is seen where the next answer takes its time, and only then: a page that flashes by is a fault to whoever sees it.
const STYLE = `
:root { color-scheme: light dark; color: CanvasText; background: Canvas; font: 100%/1.5 system-ui, sans-serif }
body { max-width: 26rem; margin: 20vh auto 0; padding: 0 1rem; animation: appear .2s .4s both }
h1 { margin: 0; font-size: 1.5rem }
p { margin: .5rem 0 }
a:focus-visible { outline: 3px solid; outline-offset: 2px }
@media print { :root { color-scheme: light; color: #000; background: #fff } body { animation: none } a { display: none } }
@keyframes appear { from { opacity: 0 } }
`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** The Content-Security-Policy of the page. */
export const RELOAD_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const HEADERS = Object.entries({
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': RELOAD_POLICY,
  // The page that opened this window must not learn from it whether there is a session.
  'Cross-Origin-Opener-Policy': 'same-origin',
  // By the Referer of the second request a site without Fetch Metadata knows that it comes from here.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
})

interface CookieRequest {
  readonly req: IncomingMessage
  readonly cookies: SessionCookies
  readonly attributes: Pick<CookieAttributes, 'sameSite'>
}

/**
 * Whether the browser may have a session cookie that it did not send: one that is set now would replace a person's login by a fresh
 * session, and one that is cleared now would end it. A navigation of the whole window brings the Lax marker of a Strict cookie, or the Lax
 * session cookie itself.
 */
export function mayHoldSessionBack({ req, cookies: { hasSession, markers }, attributes: { sameSite } }: CookieRequest): boolean {
  if (hasSession || (sameSite !== 'strict' && sameSite !== 'lax')) return false
  const isMarked = sameSite === 'strict' && markers.length > 0
  const site = req.headers['sec-fetch-site']
  if (site === undefined) return isMarked && !isFromHere(req)
  return site === 'cross-site' && (isMarked || !isNavigation(req))
}

/** Whether a marker that comes alone tells that the session cookie is gone, as nothing holds it back. */
export function isMarkerLeftOver({ req, cookies: { hasSession, markers } }: CookieRequest): boolean {
  return !hasSession && markers.length > 0 && isFromHere(req)
}

/** The marker's value on the page that reloads this request; undefined if the request is to be answered as it is. */
export function reloadMarker(request: CookieRequest, now: number): string | undefined {
  return isNavigation(request.req) && mayHoldSessionBack(request) ? countReload(request.cookies.markers, now) : undefined
}

export function sendReload(req: IncomingMessage, res: ServerResponse, marker: string, settings: ReloadSettings = {}): void {
  const page = reloadPage(reloadAddress(req, settings), settings.texts?.(req) ?? ENGLISH)
  res.statusCode = 200
  for (const [name, value] of HEADERS) res.setHeader(name, value)
  res.setHeader('Content-Length', Buffer.byteLength(page))
  addCookies(res, [], [marker])
  res.end(page)
}

/** A refresh needs an address: without one it stays where it is if the link had a fragment. Undefined: it would lead to another site. */
function reloadAddress(req: IncomingMessage, { origin }: ReloadSettings): string | undefined {
  const [path, query] = addressOf(req)
  if (path.startsWith('//')) return undefined
  // Without a base URL by the last part alone: a proxy in front may have taken the first ones away.
  return origin === undefined ? `./${path.slice(path.lastIndexOf('/') + 1)}${query}` : `${origin}${path}${query}`
}

export function reloadPage(address: string | undefined, { lang, title, heading, sentence, link }: ReloadTexts): string {
  const refresh = address === undefined ? '' : `<meta http-equiv="refresh" content="0; url=${escapeHtml(address)}">\n`
  return `<!doctype html>
<html lang="${escapeHtml(lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh}<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(heading)}</h1>
<p>${escapeHtml(sentence)} <a href="${escapeHtml(address ?? '/')}">${escapeHtml(link)}</a></p>
</main>
</body>
</html>
`
}

/** A GET of a whole window, by Fetch Metadata; where a browser sends none, by what it asks for. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET') return false
  if (headers['sec-fetch-site'] === undefined) return headers.accept?.includes('text/html') === true
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}

function isFromHere({ headers }: IncomingMessage): boolean {
  const { host, referer } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  // A whole address: of a page that is shut in a sandbox a browser tells the origin at most.
  return (
    referer !== undefined && host !== undefined && URL.parse(referer)?.host === host && !/^https?:\/\/[^/]*\/?$/.test(referer)
  )
}
