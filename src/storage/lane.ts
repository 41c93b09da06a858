// Lets at most so many calls in at a time. Who waits for longer than the deadline is turned away and never begins.
import { countdown, DEADLINE_MS, StoreUnavailable } from '../session/deadline.ts'

/** More would not get their turn before the deadline: they are turned away at once, and take no memory meanwhile. */
export const MOST_WAITING = 1000

export function tooMuch(): StoreUnavailable {
  return new StoreUnavailable('the database has more to do than it can do in time')
}

export class Lane {
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(width: number) {
    this.#free = width
  }

  /** Does the work when it is its turn. The work is told how much of the deadline is left. */
  async run<T>(work: (left: () => number) => Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
    const left = countdown(deadlineMs)
    if (this.#free > 0) this.#free--
    else if (this.#waiting.size >= MOST_WAITING) throw tooMuch()
    else await this.#turn(deadlineMs)
    try {
      return await work(left)
    } finally {
      this.#leave()
    }
  }

  #turn(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(begin)
        reject(tooMuch())
      }, deadlineMs)
      this.#waiting.add(begin)
    })
  }

  /** Whoever waited longest is next. */
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
