// Limits concurrent calls. A call that waits too long is rejected, and never starts.
import { activeTime, DEADLINE_MS, onTimeout, StoreUnavailableError, startDeadline } from '../timeout.ts'

/** How long a call waits while others are served: a burst is worked off, and an endless flood is turned away. */
const MAX_WAIT_MS = 2000

/** More would not be served before the deadline: they are turned away at once, before they take memory. */
export const MAX_WAITING = 1000

export function tooMuch(): StoreUnavailableError {
  return new StoreUnavailableError('the database has more to do than it can do in time')
}

export class Semaphore {
  readonly #waiting = new Set<() => void>()
  #free: number
  #servedAt = 0

  constructor(width: number) {
    this.#free = width
  }

  /** Runs the work when it is its turn, with a function that returns what is left of its own deadline. */
  async run<T>(work: (remaining: () => number) => Promise<T>): Promise<T> {
    const cameAt = activeTime()
    if (this.#free > 0) this.#free--
    else if (this.#waiting.size >= MAX_WAITING) throw tooMuch()
    else await this.#turn()
    try {
      // The wait counts if nobody was served meanwhile: a call after one that failed does not wait as long again.
      const answer = await work(startDeadline(DEADLINE_MS - (activeTime() - Math.max(cameAt, this.#servedAt))))
      this.#servedAt = activeTime()
      return answer
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) this.#servedAt = activeTime()
      throw error
    } finally {
      this.#leave()
    }
  }

  #turn(): Promise<void> {
    const longest = startDeadline(MAX_WAIT_MS)
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        cancel()
        resolve()
      }
      const judge = (): void => {
        const remainingMs = Math.min(this.#servedAt + DEADLINE_MS - activeTime(), longest())
        if (remainingMs > 0) {
          cancel = onTimeout(remainingMs, judge)
          return
        }
        this.#waiting.delete(begin)
        reject(tooMuch())
      }
      let cancel = onTimeout(DEADLINE_MS, judge)
      this.#waiting.add(begin)
    })
  }

  /** The longest waiting call is next. */
  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
