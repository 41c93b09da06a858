// The head of a response whose session is being saved: locked, and taken back if the save fails.
import type { ServerResponse } from 'node:http'

const BODY_HEADERS =
  /^(content-(?!security-policy).*|transfer-encoding|etag|last-modified|accept-ranges|cache-control|expires|location)$/

/** Responses whose `headersSent` is ours. */
const claimed = new WeakSet<ServerResponse>()

/** An answer that waits for its session is given, as everywhere in Express: only a save that fails takes it back. */
export function claimHead(res: ServerResponse, isWaiting: () => boolean): void {
  if (claimed.has(res) || Object.hasOwn(res, 'headersSent')) return
  claimed.add(res)
  Object.defineProperty(res, 'headersSent', { configurable: true, get: () => isWaiting() || isHeadOut(res) })
}

/** Whether the head has gone, whatever `headersSent` says. */
export function isHeadOut(res: ServerResponse): boolean {
  return claimed.has(res) ? Reflect.get(Object.getPrototypeOf(res), 'headersSent', res) === true : res.headersSent
}

/**
 * Nobody may answer a second time while an answer waits, as an error handler would that sees no head sent: the length of one body and
 * the bytes of another are two answers to whoever reads the connection. Gives what unlocks it: the head is as it was.
 */
export function lockHead(res: ServerResponse): () => void {
  const { statusCode } = res
  const reason: unknown = Object.getOwnPropertyDescriptor(res, 'statusMessage')?.value // HTTP/2 has none, and warns who asks.
  const headers = res.getHeaders()
  return () => {
    if (isHeadOut(res)) return
    res.statusCode = statusCode
    if (Object.hasOwn(res, 'statusMessage')) Reflect.set(res, 'statusMessage', reason)
    for (const name of res.getHeaderNames()) if (headers[name] === undefined) res.removeHeader(name)
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value)
    }
  }
}

export function forgetBody(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (BODY_HEADERS.test(name)) res.removeHeader(name)
  res.statusCode = 200
}

/** A handler that goes on after its answer was dropped may set headers when that of the error handler is out: Node would throw at it. */
export function quietHeaders(res: ServerResponse): void {
  for (const name of ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const) {
    const original: unknown = Reflect.get(res, name)
    if (typeof original !== 'function') continue
    Reflect.set(res, name, (...args: unknown[]): unknown => (isHeadOut(res) ? res : Reflect.apply(original, res, args)))
  }
}
