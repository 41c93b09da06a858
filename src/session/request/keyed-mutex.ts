// Work on one thing after the other, for many things at once: each key has its own line.

/** So long one piece of work keeps others of its key waiting. What never answers must not hold up a logout for ever. */
const PATIENCE_MS = 10_000

export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>()
  readonly #patienceMs: number

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
  }

  /** Does the work after everything that was asked for the same key before, however that ended. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const done = before ? settled(before, this.#patienceMs).then(work) : work()
    this.#last.set(key, done)
    const forget = (): void => {
      if (this.#last.get(key) === done) this.#last.delete(key)
    }
    done.then(forget, forget)
    return done
  }
}

/** When a piece of work has ended, or took too long. */
function settled(work: Promise<unknown>, patienceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs).unref()
    const over = (): void => {
      clearTimeout(timer)
      resolve()
    }
    work.then(over, over)
  })
}
