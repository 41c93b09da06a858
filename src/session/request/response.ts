// Defers a response until its session is saved: own `writeHead`, `write`, `flushHeaders`, `end`.
import type { ServerResponse } from 'node:http'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { addCookie } from '../cookies/write.ts'

const BODY_HEADERS =
  /^(content-(?!security-policy).*|transfer-encoding|etag|last-modified|accept-ranges|cache-control|expires|location)$/

/** What has to happen before a response may go out. */
export interface Deferring {
  /** Saves what is to be saved. May throw, or reject. */
  flush(): Awaitable<void>
  /** The session cookie that goes out with this response. */
  readonly outgoingCookie: string | undefined
  /** `flush` failed, and nothing is sent of the answer: if it had not begun, the host's error handler may answer. */
  failed(error: unknown): void
}

/** Whoever writes more than this while a save runs is told to wait for `drain`. */
const MAX_WAITING_BYTES = 16_384

type Method = 'writeHead' | 'write' | 'flushHeaders' | 'end'
type Call = readonly [Method, readonly unknown[]]

/**
 * - `open`: nothing has gone out; the first call saves before it.
 * - `waiting`: a save runs; what is called meanwhile waits for it, in order.
 * - `streaming`: the head was let through; `end` saves once more.
 * - `through`: all is saved, everything passes.
 * - `failed`: the save failed. What the handler still sends goes nowhere; nothing that it calls throws.
 */
type State = 'open' | 'waiting' | 'streaming' | 'through' | 'failed'

/** The own methods stay, as others may have wrapped them. None of them throws for the session: a handler may call them from a callback. */
export function defer(res: ServerResponse, session: Deferring): void {
  const { writeHead, write, flushHeaders, end } = res
  const original = { writeHead, write, flushHeaders, end }
  let state: State = 'open'
  let waiting: Call[] = []
  let waitingBytes = 0
  let isHandled = false

  res.writeHead = (...args: unknown[]) => {
    call('writeHead', args)
    return res
  }
  res.write = (...args: unknown[]) => call('write', args) === true
  res.flushHeaders = () => void call('flushHeaders', [])
  res.end = (...args: unknown[]) => {
    call('end', args)
    return res
  }

  /** Gives what the original gives; undefined if it was not called. */
  function call(method: Method, args: readonly unknown[]): unknown {
    if (state === 'waiting') return wait(method, args)
    if (state === 'failed' && isOver(method)) return undefined
    if (method === 'end' ? state === 'open' || state === 'streaming' : state === 'open' && !res.headersSent) {
      try {
        const saving = session.flush()
        if (isPromise(saving)) {
          state = 'waiting'
          saving.finally(lockHead(res)).then(goOn).catch(fail)
          return wait(method, args)
        }
      } catch (error) {
        return fail(error)
      }
      state = method === 'end' ? 'through' : 'streaming'
    }
    const cookie = method === 'writeHead' && !res.headersSent ? session.outgoingCookie : undefined
    return cookie === undefined ? Reflect.apply(original[method], res, args) : writeHeadWithCookie(args, cookie)
  }

  function writeHeadWithCookie(args: readonly unknown[], cookie: string): void {
    const before = res.getHeader('Set-Cookie')
    try {
      Reflect.apply(writeHead, res, addCookie(res, args, cookie))
    } catch (error) {
      // An error page is still to come, with the cookie once.
      if (before === undefined) res.removeHeader('Set-Cookie')
      else res.setHeader('Set-Cookie', before)
      throw error
    }
  }

  /** Gives what `write` gives: whether there is room for more. */
  function wait(method: Method, args: readonly unknown[]): boolean {
    const [last] = waiting.at(-1) ?? []
    // The head is locked, and the first answer counts.
    if (last === 'end' || (last !== undefined && method === 'writeHead')) return false
    waiting.push([method, args])
    if (method === 'write') waitingBytes += lengthOf(args[0])
    return waitingBytes < MAX_WAITING_BYTES
  }

  function goOn(): void {
    const calls = waiting
    const wasFull = waitingBytes >= MAX_WAITING_BYTES
    const [[first] = []] = calls
    waiting = []
    waitingBytes = 0
    state = first === 'end' ? 'through' : 'streaming'
    for (const [method, args] of calls) call(method, args)
    if (wasFull && state === 'streaming' && !res.writableNeedDrain) res.emit('drain')
  }

  function fail(error: unknown): void {
    state = 'failed'
    waiting = []
    // Too late for an error page: the reader must see that this answer is not whole.
    if (res.headersSent) res.destroy()
    else forgetBody(res)
    quietHeaders(res)
    process.nextTick(() => {
      isHandled = true
      session.failed(error)
    })
  }

  /** Until the error handler has its turn all is dropped; then what comes too late for its answer. */
  function isOver(method: Method): boolean {
    if (!isHandled) return true
    return method === 'write' || method === 'end' ? res.writableEnded : res.headersSent
  }
}

/**
 * Nobody may answer a second time while an answer waits, as an error handler would that sees no head sent: the length of one body and
 * the bytes of another are two answers to whoever reads the connection. Gives what unlocks it: the head is as it was.
 */
function lockHead(res: ServerResponse): () => void {
  const { statusCode } = res
  const reason: unknown = Object.getOwnPropertyDescriptor(res, 'statusMessage')?.value // HTTP/2 has none, and warns who asks.
  const headers = res.getHeaders()
  return () => {
    if (res.headersSent) return
    res.statusCode = statusCode
    if (Object.hasOwn(res, 'statusMessage')) Reflect.set(res, 'statusMessage', reason)
    for (const name of res.getHeaderNames()) if (headers[name] === undefined) res.removeHeader(name)
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value)
    }
  }
}

function lengthOf(chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk.length : 0
}

function forgetBody(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (BODY_HEADERS.test(name)) res.removeHeader(name)
  res.statusCode = 200
}

/** A handler that goes on after its answer was dropped may set headers when that of the error handler is out: Node would throw at it. */
function quietHeaders(res: ServerResponse): void {
  for (const name of ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const) {
    const original: unknown = Reflect.get(res, name)
    if (typeof original !== 'function') continue
    Reflect.set(res, name, (...args: unknown[]): unknown => (res.headersSent ? res : Reflect.apply(original, res, args)))
  }
}
