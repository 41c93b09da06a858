// Defers a response until its session is saved, by replacing `writeHead`, `write`, `flushHeaders` and `end`.
import type { ServerResponse } from 'node:http'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { addCookies } from '../cookies/response-head.ts'
import { claimHead, forgetBody, isHeadOut, lockHead, quietHeaders } from './head.ts'

/** What happens before a response may go out. */
export interface Deferring {
  /** Saves the session. May throw or reject. */
  flush(): Awaitable<void>
  /** The Set-Cookies of the session that go out with this response. */
  readonly headCookies: readonly string[]
  /** Called when `flush` failed. Nothing of the response is sent; if it had not begun, the host's error handler may respond. */
  failed(error: unknown): void
}

/** A handler that writes more than this during a save is told to wait for `drain`. */
const MAX_WAITING_BYTES = 16_384

/** How long an error handler may take to begin its response. */
const ERROR_HANDLER_MS = 5_000

type Method = 'writeHead' | 'write' | 'flushHeaders' | 'end'
type Call = readonly [Method, readonly unknown[]]

/**
 * - `open`: nothing has gone out; the first call saves first.
 * - `waiting`: a save runs; calls wait for it, in order.
 * - `streaming`: the head has gone out; `end` saves once more.
 * - `through`: everything is saved, and calls pass.
 * - `failed`: the save failed. What the handler still sends is dropped; none of its calls throws.
 */
type State = 'open' | 'waiting' | 'streaming' | 'through' | 'failed'

const DEFERRED = Symbol('guildhall deferred response')

type Deferrable = ServerResponse & { [DEFERRED]?: DeferredResponse }

/**
 * The methods stay replaced, as other middleware may have wrapped them. None throws because of the session: a handler may call them from a callback.
 * They are the same functions on every response: with closures V8 kept each request alive until a full garbage collection.
 */
export function defer(res: Deferrable, session: Deferring): void {
  const deferred = new DeferredResponse(res, session)
  // If another middleware begins a session after this one ended, its methods wrap these.
  if (res[DEFERRED]) return deferAgain(res, deferred)
  res[DEFERRED] = deferred
  res.writeHead = writeHead
  res.write = write
  res.flushHeaders = flushHeaders
  res.end = end
}

function deferAgain(res: ServerResponse, deferred: DeferredResponse): void {
  res.writeHead = (...args: unknown[]) => {
    deferred.call('writeHead', args)
    return res
  }
  res.write = (...args: unknown[]) => deferred.call('write', args) === true
  res.flushHeaders = () => void deferred.call('flushHeaders', [])
  res.end = (...args: unknown[]) => {
    deferred.call('end', args)
    return res
  }
}

function writeHead(this: Deferrable, ...args: unknown[]): Deferrable {
  this[DEFERRED]?.call('writeHead', args)
  return this
}

function write(this: Deferrable, ...args: unknown[]): boolean {
  return this[DEFERRED]?.call('write', args) === true
}

function flushHeaders(this: Deferrable): void {
  this[DEFERRED]?.call('flushHeaders', [])
}

function end(this: Deferrable, ...args: unknown[]): Deferrable {
  this[DEFERRED]?.call('end', args)
  return this
}

/** A class, as closures for each response cost a tenth of its time in the garbage collector. */
class DeferredResponse {
  readonly #res: ServerResponse
  readonly #session: Deferring
  readonly #original: Readonly<Record<Method, unknown>>
  #state: State = 'open'
  #waiting: Call[] | undefined
  #waitingBytes = 0
  #isHandled = false
  #isAnswered = false
  /** Whether the handler may continue a response that was dropped. */
  #isUnfinished = false

  constructor(res: ServerResponse, session: Deferring) {
    const { writeHead, write, flushHeaders, end } = res
    this.#res = res
    this.#session = session
    this.#original = { writeHead, write, flushHeaders, end }
  }

  /** Returns the result of the original method; undefined if it was not called. */
  call(method: Method, args: readonly unknown[]): unknown {
    const res = this.#res
    const state = this.#state
    if (state === 'waiting') return this.#wait(method, args)
    if (state === 'failed' && this.#isOver(method, args)) return undefined
    this.#isAnswered = true
    if (method === 'end' ? state === 'open' || state === 'streaming' : state === 'open' && !res.headersSent) {
      try {
        const saving = this.#session.flush()
        if (isPromise(saving)) {
          this.#state = 'waiting'
          claimHead(res, () => this.#state === 'waiting')
          saving
            .finally(lockHead(res))
            .then(() => this.#goOn())
            .catch((error: unknown) => this.#fail(error))
          return this.#wait(method, args)
        }
      } catch (error) {
        return this.#fail(error, [[method, args]])
      }
      this.#state = method === 'end' ? 'through' : 'streaming'
    }
    const cookies = method === 'writeHead' && !res.headersSent ? this.#session.headCookies : []
    return cookies.length === 0 ? this.#pass(method, args) : this.#writeHeadWithCookies(args, cookies)
  }

  #pass(method: Method, args: readonly unknown[]): unknown {
    const original = this.#original[method]
    return typeof original === 'function' ? Reflect.apply(original, this.#res, args) : undefined
  }

  #writeHeadWithCookies(args: readonly unknown[], cookies: readonly string[]): void {
    const res = this.#res
    const before = res.getHeader('Set-Cookie')
    try {
      this.#pass('writeHead', addCookies(res, args, cookies))
    } catch (error) {
      // The error page that follows sends the cookies.
      if (before === undefined) res.removeHeader('Set-Cookie')
      else res.setHeader('Set-Cookie', before)
      throw error
    }
  }

  /** Returns what `write` does: whether there is room for more. */
  #wait(method: Method, args: readonly unknown[]): boolean {
    this.#waiting ??= []
    const [last] = this.#waiting.at(-1) ?? []
    // The head has been written, and the first response counts.
    if (last === 'end' || (last !== undefined && method === 'writeHead')) return false
    this.#waiting.push([method, args])
    if (method === 'write') this.#waitingBytes += lengthOf(args[0])
    return this.#waitingBytes < MAX_WAITING_BYTES
  }

  #goOn(): void {
    const calls = this.#waiting ?? []
    const wasFull = this.#waitingBytes >= MAX_WAITING_BYTES
    const [[first] = []] = calls
    this.#waiting = undefined
    this.#waitingBytes = 0
    this.#state = first === 'end' ? 'through' : 'streaming'
    for (const [method, args] of calls) this.call(method, args)
    if (wasFull && this.#isStreaming() && !this.#res.writableNeedDrain) this.#res.emit('drain')
  }

  #isStreaming(): boolean {
    return this.#state === 'streaming'
  }

  #fail(error: unknown, calls: readonly Call[] = this.#waiting ?? []): void {
    const res = this.#res
    const isUnfinished = !calls.some(([method]) => method === 'end')
    this.#state = 'failed'
    this.#waiting = undefined
    // Too late for an error page: the client must notice that the response is incomplete.
    if (isHeadOut(res)) res.destroy()
    else forgetBody(res)
    quietHeaders(res)
    process.nextTick(() => {
      this.#isHandled = true
      this.#isAnswered = false
      this.#session.failed(error)
      if (this.#isAnswered || isHeadOut(res)) return
      this.#isUnfinished = isUnfinished
      this.#answerLater()
    })
  }

  /** An application that awaited the middleware as a promise has continued and learns of no error: then nobody else responds. */
  #answerLater(): void {
    const res = this.#res
    const timer = setTimeout(() => {
      if (this.#isAnswered || isHeadOut(res)) return
      res.statusCode = 500
      this.#pass('end', ['Internal Server Error'])
    }, ERROR_HANDLER_MS)
    res.once('close', () => clearTimeout(timer))
  }

  /** Drops everything until the error handler runs; afterwards the rest of a stream, which is no error page, and what comes too late. */
  #isOver(method: Method, [status]: readonly unknown[]): boolean {
    if (!this.#isHandled) return true
    if (this.#isUnfinished && !this.#isAnswered && Number(method === 'writeHead' ? status : this.#res.statusCode) < 300)
      return true
    return method === 'write' || method === 'end' ? this.#res.writableEnded : this.#res.headersSent
  }
}

function lengthOf(chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk.length : 0
}
