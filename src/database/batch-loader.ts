// Look-ups of one turn of the event loop are asked together, in one statement.

/** So many keys in one question at most: nobody waits for a crowd. */
const MAX_KEYS = 100

interface Question<Answer> {
  readonly keys: Set<string>
  readonly answers: Promise<ReadonlyMap<string, Answer>>
}

/** Each look-up is answered by a question that is asked after it, never by one that was on its way: it sees all that was done before. */
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
    // By then every request has been read that the network had brought.
    setImmediate(() => {
      if (this.#next === question) this.#next = undefined
      resolve(this.#ask([...keys]))
    })
    return question
  }
}
