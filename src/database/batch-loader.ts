// Batches look-ups of one turn of the event loop into one statement.

/** The most keys in one statement: nobody waits for a large batch. */
const MAX_KEYS = 100

interface Question<Answer> {
  readonly keys: Set<string>
  readonly answers: Promise<ReadonlyMap<string, Answer>>
}

/** A look-up joins only a statement that is sent after it, so that it sees every earlier write. */
export class BatchLoader<Answer> {
  readonly #ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>
  /** Takes keys until the turn is over. */
  #next: Question<Answer> | undefined

  constructor(ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>) {
    this.#ask = ask
  }

  async find(key: string): Promise<Answer | undefined> {
    if (this.#next === undefined || this.#next.keys.size >= MAX_KEYS) this.#next = this.#begin()
    this.#next.keys.add(key)
    return (await this.#next.answers).get(key)
  }

  #begin(): Question<Answer> {
    const keys = new Set<string>()
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, Answer>>()
    const question = { keys, answers: promise }
    // By then every request has been read that the network had delivered.
    setImmediate(() => {
      if (this.#next === question) this.#next = undefined
      resolve(this.#ask([...keys]))
    })
    return question
  }
}
