// Answers the requests of one connection one after the other, in turns with those of all others.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Request {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Node begins every request that lies in a packet at once: a hundred in one burst would all come before anybody else's next. */
export class Turns {
  readonly #listener: RequestListener
  /** Connections at work, with what waits behind it. */
  readonly #waiting = new WeakMap<Socket, Request[] | undefined>()

  constructor(listener: RequestListener) {
    this.#listener = listener
  }

  isAtWork(socket: Socket): boolean {
    return this.#waiting.has(socket)
  }

  take(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req
    if (!this.#waiting.has(socket)) return this.#begin({ req, res })
    const waiting = this.#waiting.get(socket)
    if (waiting) waiting.push({ req, res })
    else this.#waiting.set(socket, [{ req, res }])
  }

  #begin({ req, res }: Request): void {
    const { socket } = req
    if (!this.#waiting.has(socket)) this.#waiting.set(socket, undefined)
    res.once('close', () => this.#next(socket))
    this.#listener(req, res)
  }

  #next(socket: Socket): void {
    const next = this.#waiting.get(socket)?.shift()
    // Behind an answer that ended the connection nobody waits any more.
    if (next === undefined || socket.destroyed) this.#waiting.delete(socket)
    else setImmediate(() => this.#begin(next))
  }
}
