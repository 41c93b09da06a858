// Limits how often something may be tried: counted before the work, for all processes together.
import type { Awaitable } from '../domain/awaitable.ts'
import type { Clock } from '../domain/clock.ts'
import { parseDuration } from '../domain/duration.ts'
import { MembershipError } from '../domain/errors.ts'
import type { Logger } from '../domain/logger.ts'
import { keyedDigest } from '../domain/secret.ts'
import type { Counters } from '../storage/contract.ts'

/** So many tries in so much time: `'5 per 5m'`. */
export type Rate = `${number} per ${string}`

/** How often something may be tried. Two with one name and rate share their counters. */
export interface Limit {
  /** What is counted: `login network`. */
  readonly name: string
  readonly rate: Rate
  /** What a success does to the count: a login that worked was no guess. */
  readonly onSuccess: 'keep' | 'refund' | 'clear'
}

/** Wrong proofs of one user's identity, by canonical username. The second rate makes the wait grow; NIST SP 800-63B-4 3.2.2 allows 100. */
export const PROOFS_PER_USER: readonly Limit[] = [
  { name: 'login account', rate: '5 per 5m', onSuccess: 'clear' },
  { name: 'login account', rate: '15 per 1h', onSuccess: 'clear' },
]

export interface Throttle {
  /** Counts a try of a subject: a network, a canonical username. Throws `too_many_requests` with the seconds to wait if no more is left. */
  count(limit: Limit, subject: string): Promise<Counted>
  /** Takes a counted try back from the window it was counted in, and from no later one. */
  refund(counted: Counted): Promise<void>
  /** Begins that window anew. */
  clear(counted: Counted): Promise<void>
}

/** A try that was counted: where, and until when it counts. */
export interface Counted {
  readonly key: string
  readonly windowEnd: number
}

export const unlimited: Throttle = {
  count: async () => ({ key: '', windowEnd: 0 }),
  refund: async () => {},
  clear: async () => {},
}

/** Counters hold keyed digests: they tell nobody who tried to log in from where. */
export function createThrottle(counters: Counters, clock: Clock, key: Uint8Array): Throttle {
  return {
    async count({ name, rate }, subject) {
      const { limit, windowMs } = parseRate(rate)
      const counter = keyedDigest(key, `${name}\0${rate}\0${subject}`)
      const now = clock.now()
      const { counted, windowEnd } = await counters.consume({ key: counter, now, windowEnd: now + windowMs, limit })
      if (counted) return { key: counter, windowEnd }
      throw new MembershipError('too_many_requests', { retryAfter: Math.max(1, Math.ceil((windowEnd - now) / 1000)) })
    },
    refund: async (counted) => counters.refund(counted),
    clear: async (counted) => counters.clear(counted),
  }
}

/** What one request counted, in its route and in its use case. */
export class Tries {
  readonly #core: { readonly throttle: Throttle; readonly log: Logger }
  readonly #counted: (readonly [Limit, Counted])[] = []

  constructor(core: { readonly throttle: Throttle; readonly log: Logger }) {
    this.#core = core
  }

  async count(limit: Limit, subject: string): Promise<void> {
    this.#counted.push([limit, await this.#core.throttle.count(limit, subject)])
  }

  async succeeded(): Promise<void> {
    await this.#settle(({ onSuccess }, counted) => {
      if (onSuccess === 'refund') return this.#core.throttle.refund(counted)
      if (onSuccess === 'clear') return this.#core.throttle.clear(counted)
      return undefined
    })
  }

  async refundAll(): Promise<void> {
    await this.#settle((_limit, counted) => this.#core.throttle.refund(counted))
  }

  /** What was done stays done: a count that stays is no reason to say that nothing was changed. */
  async #settle(work: (limit: Limit, counted: Counted) => Awaitable<void>): Promise<void> {
    try {
      await Promise.all(this.#counted.map(async ([limit, counted]) => work(limit, counted)))
    } catch (error) {
      this.#core.log.warn({ err: error }, 'a counted try could not be refunded')
    }
  }
}

/** The limit and window of a rate; throws a TypeError where the text is none. */
export function parseRate(rate: Rate): { readonly limit: number; readonly windowMs: number } {
  const match = /^([1-9]\d{0,6}) per (\S+)$/.exec(rate)
  const windowMs = parseDuration(match?.[2] ?? '')
  if (!match || windowMs === undefined) throw new TypeError(`a rate reads '5 per 10m', got '${rate}'`)
  return { limit: Number(match[1]), windowMs }
}
