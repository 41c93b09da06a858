// The throttle slots of one request, until the outcome of its tries is known.
import type { Logger } from '../domain/logger.ts'
import type { Priority } from '../passwords/pool.ts'
import type { Limit, Outcome, Slot, Throttle } from './throttle.ts'

export class Tries {
  readonly #core: { readonly throttle: Throttle; readonly log: Logger }
  readonly #slots: Slot[] = []

  constructor(core: { readonly throttle: Throttle; readonly log: Logger }) {
    this.#core = core
  }

  async take(limit: Limit, subject: string): Promise<void> {
    this.#slots.push(await this.#core.throttle.take(limit, subject))
  }

  /** Whether somebody logged in from this network lately. */
  get isKnown(): boolean {
    return this.#slots.some((slot) => slot.isKnown)
  }

  /** The priority of this request's password: networks with a recent login come before unknown ones. */
  get priority(): Priority {
    // A recent login alone does not win: a guesser may log in from each network first, or share one with a member.
    if (this.#slots.some(({ isBeyond }) => isBeyond)) return this.isKnown ? 'normal' : 'low'
    return this.isKnown ? 'high' : 'normal'
  }

  /** Never throws: the act is done, and a slot that remains for its minute must not make it look failed. */
  async release(outcome: Outcome): Promise<void> {
    try {
      await Promise.all(this.#slots.splice(0).map((slot) => this.#core.throttle.release(slot, outcome)))
    } catch (error) {
      this.#core.log.warn({ err: error }, 'the outcome of a try could not be counted')
    }
  }
}
