// Work on one thing after the other, for many things at once: each key has its own line.

export class KeyedTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does the work after everything that was asked for the same key before, however that ended. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const done = before ? before.then(work, work) : work()
    this.#last.set(key, done)
    const forget = (): void => {
      if (this.#last.get(key) === done) this.#last.delete(key)
    }
    done.then(forget, forget)
    return done
  }
}
