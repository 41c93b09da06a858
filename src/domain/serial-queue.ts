// Work, one piece after the other, at once if nothing runs: in one queue, or in one for each key.
import { type Awaitable, isPromise } from './awaitable.ts'

export class SerialQueue {
  #running: Promise<unknown> | undefined

  /** What runs now; the last piece, if several wait. */
  get running(): Promise<unknown> | undefined {
    return this.#running
  }

  /**
   * Begins after what runs now, however that ends, or after `patienceMs`. A failure belongs to the caller alone.
   * Default of `patienceMs`: it waits until that has ended.
   */
  take<T>(work: () => Awaitable<T>, patienceMs?: number): Awaitable<T> {
    const before = this.#running && (patienceMs === undefined ? this.#running : settledWithin(this.#running, patienceMs))
    const started = before ? before.then(work, work) : work()
    if (!isPromise(started)) return started
    const running = started.finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    running.catch(() => {})
    this.#running = running
    return running
  }

  /** The same; a failure is a rejected promise, never a throw. */
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

/** What never answers must not hold up a logout for ever. */
const PATIENCE_MS = 10_000

/** A queue for each thing at work, whose pieces keep the next ones waiting so long and no longer. */
export class KeyedMutex {
  readonly #queues = new Map<string, SerialQueue>()
  readonly #patienceMs: number

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
  }

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? new SerialQueue()
    this.#queues.set(key, queue)
    return Promise.resolve(queue.take(work, this.#patienceMs)).finally(() => {
      if (queue.running === undefined) this.#queues.delete(key)
    })
  }
}

function settledWithin(work: Promise<unknown>, ms: number): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref()
    const over = (): void => {
      clearTimeout(timer)
      resolve(undefined)
    }
    work.then(over, over)
  })
}
