// Counters in PostgreSQL: uses of one counter that come together count in one statement.
import type { CountedUse, Use } from '../contract.ts'
import { SqlCounters } from '../counters.ts'

interface Waiting {
  readonly use: Use
  readonly resolve: (counted: CountedUse) => void
  readonly reject: (error: unknown) => void
}

/** Each by itself they would wait for one row, and hold every connection while they do. */
export class BatchedCounters extends SqlCounters {
  /** Who comes while others of the same counter are being counted. */
  readonly #waiting = new Map<string, Waiting[]>()

  override consume(use: Use): Promise<CountedUse> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(use.key)
      if (waiting) {
        waiting.push({ use, resolve, reject })
        return
      }
      this.#waiting.set(use.key, [])
      void this.#countAll(use.key, [{ use, resolve, reject }])
    })
  }

  /** One party after the other, until nobody waits any more. */
  async #countAll(key: string, first: readonly Waiting[]): Promise<void> {
    for (let party = first; party.length > 0; party = this.#next(key)) {
      try {
        await this.#count(party)
      } catch (error) {
        // Who waits for a database that does not answer has waited as long as those before them.
        for (const { reject } of [...party, ...this.#next(key)]) reject(error)
      }
    }
    this.#waiting.delete(key)
  }

  #next(key: string): readonly Waiting[] {
    return this.#waiting.get(key)?.splice(0) ?? []
  }

  /** As many as have room are counted, in the order in which they came. All of them were there when it was looked. */
  async #count(party: readonly Waiting[]): Promise<void> {
    const last = party.at(-1)
    if (!last) return
    const { counted, windowEnd } = await this.consumeUpTo(party.length, last.use)
    for (const [at, { resolve }] of party.entries()) resolve({ counted: at < counted, windowEnd })
  }
}
