// Limits how often something may be tried: per network, per account. Counted before the work, atomically, where every process counts.
import type { Clock } from '../domain/clock.ts'
import { parseDuration } from '../domain/duration.ts'
import { MembershipError } from '../domain/errors.ts'
import { keyedDigest } from '../domain/secret.ts'
import type { Counters, Use } from '../storage/contract.ts'

/** So many tries in so much time: `'5 per 5m'`. */
export type Rate = `${number} per ${string}`

/** One counter: what is counted, and up to where. */
export interface Count {
  /** What is counted: `login network`. */
  readonly name: string
  /** Whose tries: a network, a canonical username. */
  readonly subject: string
  readonly rate: Rate
}

export interface Throttle {
  /** Counts a try in every counter; throws `too_many_requests` with the seconds to wait where one is full. Nothing more is counted then. */
  count(counts: readonly Count[]): Promise<readonly Counted[]>
  /** Takes a counted try back from the window it was counted in, and from no later one. */
  refund(counted: readonly Counted[]): Promise<void>
  /** Begins that window anew. */
  clear(counted: readonly Counted[]): Promise<void>
}

/** A try that was counted: where, and until when it counts. */
export interface Counted {
  readonly key: string
  readonly windowEnd: number
}

export const unlimited: Throttle = {
  count: async () => [],
  refund: async () => {},
  clear: async () => {},
}

/** Counters hold keyed digests: they tell nobody who tried to log in from where. */
export function createThrottle(counters: Counters, clock: Clock, key: Uint8Array): Throttle {
  const keyOf = ({ name, subject, rate }: Count) => keyedDigest(key, `${name}\0${rate}\0${subject}`)
  const refund = async (counted: readonly Counted[]) => {
    await Promise.all(counted.map(async ({ key, windowEnd }) => counters.refund({ key, windowEnd })))
  }
  /** A try that the store is too sick to count to the end is not made: what it counted before is taken back. */
  const consume = async (use: Use, before: readonly Counted[]) => {
    try {
      return await counters.consume(use)
    } catch (error) {
      refund(before).catch(() => {})
      throw error
    }
  }
  return {
    async count(counts) {
      const counted: Counted[] = []
      for (const count of counts) {
        const { limit, windowMs } = parseRate(count.rate)
        const key = keyOf(count)
        const now = clock.now()
        const use = await consume({ key, now, windowEnd: now + windowMs, limit }, counted)
        if (!use.counted) {
          const retryAfter = Math.max(1, Math.ceil((use.windowEnd - now) / 1000))
          throw new MembershipError('too_many_requests', { retryAfter })
        }
        counted.push({ key, windowEnd: use.windowEnd })
      }
      return counted
    },
    refund,
    async clear(counted) {
      await Promise.all(counted.map(async ({ key, windowEnd }) => counters.clear({ key, windowEnd })))
    },
  }
}

/** The limit and window of a rate; throws a TypeError where the text is none. */
export function parseRate(rate: Rate): { readonly limit: number; readonly windowMs: number } {
  const known = rates.get(rate)
  if (known) return known
  const match = /^([1-9]\d{0,6}) per (\S+)$/.exec(rate)
  const windowMs = parseDuration(match?.[2] ?? '')
  if (!match || windowMs === undefined) throw new TypeError(`a rate reads '5 per 10m', got '${rate}'`)
  const parsed = { limit: Number(match[1]), windowMs }
  rates.set(rate, parsed)
  return parsed
}

const rates = new Map<Rate, { limit: number; windowMs: number }>()
