// One question for the numbers of all workers: over when all have answered, or have had their time.
/** A worker that is slower has its numbers left out this time. */
const TIMEOUT_MS = 1000

export class MetricsRound {
  /** In the order in which they were asked; undefined: not answered yet. */
  readonly #texts: Map<object, string | undefined>
  readonly #onOver: (texts: readonly string[]) => void
  readonly #late: NodeJS.Timeout
  #missing: number

  constructor(asked: readonly object[], onOver: (texts: readonly string[]) => void) {
    this.#texts = new Map(asked.map((worker) => [worker, undefined]))
    this.#missing = asked.length
    this.#onOver = onOver
    this.#late = setTimeout(() => this.#end(), TIMEOUT_MS)
  }

  /** What a worker answered; '' from one that is gone. */
  add(worker: object, text: string): void {
    if (this.#missing === 0 || !this.#texts.has(worker) || this.#texts.get(worker) !== undefined) return
    this.#texts.set(worker, text)
    this.#missing--
    if (this.#missing === 0) this.#end()
  }

  #end(): void {
    clearTimeout(this.#late)
    this.#missing = 0
    this.#onOver([...this.#texts.values()].filter((text) => text !== undefined))
  }
}
