// Adds the session's cookies to a head that is about to go out.
import type { OutgoingHttpHeader, ServerResponse } from 'node:http'

type Pair = readonly [name: unknown, value: unknown]

/** Says that shared caches do not keep the response, or not its cookies. */
const NOT_SHARED = /(?:^|[\s,])(?:private|no-store)(?:[\s,]|$)|no-cache="set-cookie"/i

/** Returns the arguments for the real `writeHead`. Its headers replace those set before, yet the cookies of both must survive. */
export function addCookies(res: ServerResponse, args: readonly unknown[], cookies: readonly string[]): readonly unknown[] {
  const at = typeof args[1] === 'string' || (args[2] !== undefined && args[2] !== null) ? 2 : 1
  const headers = args[at]
  const cached = res.getHeader('Cache-Control')
  if (cached !== undefined) res.setHeader('Cache-Control', withoutCookies(cached))
  if (Array.isArray(headers)) {
    return args.with(at, Array.isArray(headers[0]) ? addToPairs(headers, cookies) : addToList(res, headers, cookies))
  }
  if (typeof headers === 'object' && headers !== null) return args.with(at, addToObject(res, headers, cookies))
  addToResponse(res, cookies)
  return args
}

/** Node accepts these only if no header was set before. */
function addToPairs(pairs: readonly Pair[], cookies: readonly string[]): readonly Pair[] {
  return [...pairs.map(uncached), ...cookies.map((cookie): Pair => ['Set-Cookie', cookie])]
}

/** Names and values alternate. */
function addToList(res: ServerResponse, list: readonly unknown[], cookies: readonly string[]): readonly unknown[] {
  const kept = list.map((item, index) => (index % 2 === 1 ? uncached([list[index - 1], item])[1] : item))
  const isSet = list.some((item, index) => index % 2 === 0 && isNamed(item, 'set-cookie'))
  if (isSet) return [...kept, ...cookies.flatMap((cookie) => ['Set-Cookie', cookie])]
  addToResponse(res, cookies)
  return kept
}

function addToObject(res: ServerResponse, headers: object, cookies: readonly string[]): object {
  const pairs = Object.entries(headers).map(uncached)
  const existing = pairs.filter(([name]) => isNamed(name, 'set-cookie')).flatMap(([, value]) => value ?? [])
  if (existing.length === 0) {
    addToResponse(res, cookies)
    return Object.fromEntries(pairs)
  }
  const others = pairs.filter(([name]) => !isNamed(name, 'set-cookie'))
  return { ...Object.fromEntries(others), 'Set-Cookie': [...existing.map(String), ...cookies] }
}

function addToResponse(res: ServerResponse, cookies: readonly string[]): void {
  // A new list: `appendHeader` would push into the application's own, which may be used for the next visitor too.
  const before = res.getHeader('Set-Cookie')
  res.setHeader('Set-Cookie', [...(Array.isArray(before) ? before : before === undefined ? [] : [String(before)]), ...cookies])
}

function uncached([name, value]: Pair): Pair {
  const isPolicy = isNamed(name, 'cache-control') && (typeof value === 'string' || Array.isArray(value))
  return isPolicy ? [name, withoutCookies(value)] : [name, value]
}

/** A shared cache may keep the response, but not the first visitor's session (RFC 9111 section 5.2.2.4). */
function withoutCookies(policy: OutgoingHttpHeader): string {
  const text = String(policy)
  return NOT_SHARED.test(text) ? text : `${text}, no-cache="Set-Cookie"`
}

function isNamed(name: unknown, wanted: string): boolean {
  return typeof name === 'string' && name.toLowerCase() === wanted
}
