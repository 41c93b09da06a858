// Work of one request, one piece after the other: at once where nothing runs.
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'

export class SerialQueue {
  #running: Promise<void> | undefined

  /** What runs now. Its failure belongs to whoever waits for it; the response waits for what still runs when it ends. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /** Takes its turn, after what runs now, however that ends. */
  take(work: () => Awaitable<void>): Awaitable<void> {
    const started = this.#running ? this.#running.then(work, work) : work()
    if (!isPromise(started)) return
    const running = started.finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    running.catch(() => {})
    this.#running = running
    return running
  }

  /** The same, where a failure is a rejected promise and never a throw. */
  promise(work: () => Awaitable<void>): Promise<void> {
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
