// Runs functions one after the other: in one queue, or in one for each key.
import { type Awaitable, isPromise } from './awaitable.ts'

export class SerialQueue {
  #running: Promise<unknown> | undefined

  /** The last function that runs or waits. */
  get running(): Promise<unknown> | undefined {
    return this.#running
  }

  /**
   * Runs at once if nothing runs, else after the last one has ended, however it ends, or after `maxWaitMs`. A failure goes to this caller
   * alone. Default of `maxWaitMs`: no limit.
   */
  take<T>(work: () => Awaitable<T>, maxWaitMs?: number): Awaitable<T> {
    const before = this.#running && (maxWaitMs === undefined ? this.#running : endOrTimeout(this.#running, maxWaitMs))
    const started = before ? before.then(work, work) : work()
    if (!isPromise(started)) return started
    const running = started.finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    running.catch(() => {})
    this.#running = running
    return running
  }

  /** Like `take`, but a failure is always a rejected promise, never a throw. */
  promise<T>(work: () => Awaitable<T>): Promise<T> {
    const done = this.take(() => {
      try {
        return work()
      } catch (error) {
        return Promise.reject(error)
      }
    })
    return Promise.resolve(done)
  }
}

/** A call that never answers must not block a logout for ever. */
const MAX_WAIT_MS = 10_000

/** A queue for each key. No function waits longer than `maxWaitMs` for the one before it. */
export class KeyedMutex {
  readonly #queues = new Map<string, SerialQueue>()
  readonly #maxWaitMs: number

  constructor(maxWaitMs = MAX_WAIT_MS) {
    this.#maxWaitMs = maxWaitMs
  }

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? new SerialQueue()
    this.#queues.set(key, queue)
    return Promise.resolve(queue.take(work, this.#maxWaitMs)).finally(() => {
      if (queue.running === undefined) this.#queues.delete(key)
    })
  }
}

function endOrTimeout(work: Promise<unknown>, ms: number): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref()
    const over = (): void => {
      clearTimeout(timer)
      resolve(undefined)
    }
    work.then(over, over)
  })
}
