// Answers the requests of a connection one at a time, alternating with those of other connections.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Request {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Node starts all pipelined requests of a packet at once: a hundred of one client would come before the next of anybody else. */
export class PipelinedRequests {
  readonly #listener: RequestListener
  /** Busy connections, with the requests that wait there. */
  readonly #waiting = new WeakMap<Socket, Request[] | undefined>()

  constructor(listener: RequestListener) {
    this.#listener = listener
  }

  isBusy(socket: Socket): boolean {
    return this.#waiting.has(socket)
  }

  handle(req: IncomingMessage, res: ServerResponse): void {
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
    // The last answer may have ended the connection.
    if (next === undefined || socket.destroyed) this.#waiting.delete(socket)
    else setImmediate(() => this.#begin(next))
  }
}
