// The places that one request took, until it is known what became of its tries.
import type { Logger } from '../domain/logger.ts'
import type { Priority } from '../passwords/pool.ts'
import type { Limit, Outcome, Place, Throttle } from './throttle.ts'

export class Tries {
  readonly #core: { readonly throttle: Throttle; readonly log: Logger }
  readonly #places: Place[] = []

  constructor(core: { readonly throttle: Throttle; readonly log: Logger }) {
    this.#core = core
  }

  async take(limit: Limit, subject: string): Promise<void> {
    this.#places.push(await this.#core.throttle.take(limit, subject))
  }

  /** Whether somebody logged in from there lately. */
  get isKnown(): boolean {
    return this.#places.some((place) => place.isKnown)
  }

  /** When a password of this request is hashed: networks that have logged in lately come before those that nobody knows. */
  get priority(): Priority {
    // Who guesses from many networks can log in from each of them first; and others of such a one's network are known, too.
    if (this.#places.some(({ isBeyond }) => isBeyond)) return this.isKnown ? 'normal' : 'low'
    return this.isKnown ? 'high' : 'normal'
  }

  /** What was done stays done: a place that stays for its minute is no reason to say that nothing was changed. */
  async settle(outcome: Outcome): Promise<void> {
    try {
      await Promise.all(this.#places.splice(0).map((place) => this.#core.throttle.settle(place, outcome)))
    } catch (error) {
      this.#core.log.warn({ err: error }, 'what became of a try could not be counted')
    }
  }
}
