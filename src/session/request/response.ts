// Holds a response back until its session is saved: an own `writeHead` and `end` on this one response.
import type { ServerResponse } from 'node:http'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { addCookie } from '../cookies/cookie.ts'

const BODY_HEADERS =
  /^(content-(?!security-policy).*|transfer-encoding|etag|last-modified|accept-ranges|cache-control|expires|location)$/

/** What has to happen before a response may go out. */
export interface Settling {
  /** Saves what is to be saved. */
  settle(): Awaitable<void>
  /** The session cookie that goes out with this response. */
  readonly outgoingCookie: string | undefined
  /** Hears that `settle` failed and that the response has not begun: the host's error handler may answer. */
  failed(error: unknown): void
}

/**
 * `end` waits until everything is saved, then ends in one piece. Where the head goes out earlier (a stream), saving begins with it.
 * Once settled, both pass everything through: they stay where they are, as others may have wrapped them.
 */
export function hold(res: ServerResponse, session: Settling): void {
  const { writeHead, end } = res
  let state: 'open' | 'waiting' | 'settled' = 'open'

  res.writeHead = (...args: unknown[]) => {
    if (state === 'waiting') return res
    if (state === 'open') {
      const saving = session.settle()
      if (isPromise(saving)) saving.catch(() => {}) // `end` tries again, and answers for it.
    }
    const cookie = session.outgoingCookie
    Reflect.apply(writeHead, res, cookie === undefined || res.headersSent ? args : addCookie(res, args, cookie))
    return res
  }

  res.end = (...args: unknown[]) => {
    if (state === 'waiting') return res
    if (state === 'settled') return goOn()
    try {
      const saving = session.settle()
      if (!isPromise(saving)) return goOn()
      state = 'waiting'
      const seal = sealed(res)
      saving.finally(seal).then(goOn).catch(giveUp)
    } catch (error) {
      giveUp(error)
    }
    return res

    function goOn(): ServerResponse {
      state = 'settled'
      Reflect.apply(end, res, args)
      return res
    }
  }

  function giveUp(error: unknown): void {
    state = 'settled'
    // Too late for an error page: who reads must see that this answer is not whole.
    if (res.headersSent) res.destroy()
    else forgetBody(res)
    process.nextTick(() => session.failed(error))
  }
}

/**
 * Nobody may answer a second time while an answer waits, as an error handler would that sees no head sent: the length of one body and
 * the bytes of another are two answers to whoever reads the connection. Gives what breaks the seal: the answer is as it was.
 */
function sealed(res: ServerResponse): () => void {
  const { write, statusCode } = res
  const reason: unknown = Object.getOwnPropertyDescriptor(res, 'statusMessage')?.value // HTTP/2 has none, and warns who asks.
  const headers = res.getHeaders()
  const drop = (): boolean => false
  res.write = drop
  return () => {
    if (res.write === drop) res.write = write
    if (res.headersSent) return
    res.statusCode = statusCode
    if (Object.hasOwn(res, 'statusMessage')) Reflect.set(res, 'statusMessage', reason)
    for (const name of res.getHeaderNames()) if (headers[name] === undefined) res.removeHeader(name)
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value)
    }
  }
}

function forgetBody(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) {
    if (BODY_HEADERS.test(name)) res.removeHeader(name)
  }
  res.statusCode = 200
}
