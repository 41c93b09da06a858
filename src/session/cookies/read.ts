// Reads session ids out of a raw Cookie header.
import type { IncomingMessage } from 'node:http'
import { signatureReader } from './signature.ts'
import type { CookieSettings } from './write.ts'

/** A visitor has one; more are planted. So many are looked up at a request; all of them are deleted at a logout. */
export const MAX_CANDIDATES = 4

const NONE: readonly string[] = []
const SPACE = 0x20
const TAB = 0x09
const SEMICOLON = 0x3b
const UNSIGNED = /^[\w-]{43}$/
// A header in the syntax of RFC 2965 has other rules for quotes and commas. No browser sends it; a client that does wants two readers to disagree.
const OLD_SYNTAX = '$Version'

/** Reads the ids that a Cookie header carries under exactly this name, in its order. Never throws. */
export type ReadIds = (header: string | undefined) => readonly string[]

/** Nothing is decoded or trimmed but spaces and tabs: names that merely look like ours cannot pass. */
export function idReader({ name, secrets }: CookieSettings): ReadIds {
  const read = secrets ? signatureReader(secrets) : (value: string) => (UNSIGNED.test(value) ? value : undefined)
  return (header) => {
    const values = readValues(header, name)
    if (values === NONE) return NONE
    const ids: string[] = []
    for (const value of values) {
      const id = read(value)
      if (id !== undefined) ids.push(id)
    }
    return ids
  }
}

/** Whether a Cookie header has a cookie of this name, with whatever value. */
export function carriesCookie(header: string | undefined, cookie: CookieSettings): boolean {
  return readValues(header, cookie.name) !== NONE
}

/** Whether a cookie's path covers that of a request, as browsers judge it (RFC 6265 section 5.1.4). */
export function coversPath(cookiePath: string, req: IncomingMessage): boolean {
  const path = pathOf(req)
  if (!path.startsWith(cookiePath)) return false
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/'
}

/** The path that the browser asked for, wherever the middleware is mounted. */
function pathOf(req: IncomingMessage): string {
  const url = 'originalUrl' in req && typeof req.originalUrl === 'string' ? req.originalUrl : (req.url ?? '/')
  if (!url.startsWith('/')) return URL.parse(url)?.pathname ?? '/'
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

function readValues(header: string | undefined, name: string): readonly string[] {
  if (header === undefined || header.startsWith(OLD_SYNTAX)) return NONE
  let values: string[] | undefined
  for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + name.length)) {
    const valueAt = at + name.length + 1
    if (header[valueAt - 1] !== '=' || !startsPair(header, at)) continue
    const end = header.indexOf(';', valueAt)
    const value = trimEnd(header.slice(valueAt, end === -1 ? undefined : end))
    if (values === undefined) values = [value]
    else values.push(value)
  }
  return values ?? NONE
}

function startsPair(header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--
  return before < 0 || header.charCodeAt(before) === SEMICOLON
}

function trimEnd(value: string): string {
  let end = value.length
  while (end > 0 && isBlank(value.charCodeAt(end - 1))) end--
  return value.slice(0, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}
