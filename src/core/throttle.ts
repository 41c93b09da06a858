// Limits how often something may be tried, for all processes together: a try takes its place first.
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import { keyedDigest } from '../domain/secret.ts'
import type { Counters } from '../storage/contract.ts'
import { BatchedCounters, type WaitLimits } from './batched-counters.ts'
import { forgetUses, type Limit, type Outcome, settlePlace, takePlace } from './counter-state.ts'

export type { Budget, Limit, Outcome, Rate } from './counter-state.ts'

/** Proofs of one user's identity, by canonical username. The second rate makes the wait grow; NIST SP 800-63B-4 3.2.2 allows 100. */
export const PROOFS_PER_USER: Limit = {
  name: 'login account',
  budgets: [
    { rate: '5 per 5m', counts: ['failure'], clearedBySuccess: true },
    { rate: '15 per 1h', counts: ['failure'], clearedBySuccess: true },
    // Logins that work are bounded too: each costs a hash and a session.
    { rate: '60 per 1h', counts: ['success'] },
  ],
}

export interface Throttle {
  /**
   * Takes a place for a try of a subject: a network, a canonical username. Waits where only tries that are being judged are in the way.
   * Throws `too_many_requests` with the seconds to wait where those that were judged have used the limit up, `overloaded` where it waited too long.
   */
  take(limit: Limit, subject: string): Promise<Place>
  /** Gives the place back, and counts what became of the try. */
  settle(place: Place, outcome: Outcome): Promise<void>
  /** Forgets what was counted; tries that are being judged keep their places. */
  forget(limit: Limit, subject: string): Promise<void>
  /** Whether nobody else may wait. */
  isFull(): boolean
}

/** A try that is being judged. */
export interface Place {
  readonly key: string
  readonly limit: Limit
  /** When the place comes back by itself, should this process die; undefined for one that nothing is kept for. */
  readonly end: number | undefined
  /** Whether the subject had a success lately. */
  readonly isKnown: boolean
  /** Whether it is beyond a limit that does not refuse. */
  readonly isBeyond: boolean
}

export const unlimited: Throttle = {
  take: async (limit) => ({ key: '', limit, end: undefined, isKnown: false, isBeyond: false }),
  settle: async () => {},
  forget: async () => {},
  isFull: () => false,
}

/** Counters hold keyed digests: they tell nobody who tried to log in from where. */
export function createThrottle(counters: Counters, clock: Clock, key: Uint8Array, waits: WaitLimits): Throttle {
  const batched = new BatchedCounters(counters, clock, waits)
  const counterOf = ({ name }: Limit, subject: string) => keyedDigest(key, `${name}\0${subject}`)
  return {
    async take(limit, subject) {
      const counter = counterOf(limit, subject)
      const admission = await batched.run(counter, (state, now) => takePlace(state, limit, now))
      if (admission.admitted) {
        const { placeEnd: end, isKnown, isBeyond } = admission
        return { key: counter, limit, end, isKnown, isBeyond }
      }
      const seconds = Math.ceil((admission.until - clock.now()) / 1000)
      throw new MembershipError('too_many_requests', { retryAfter: Math.max(1, seconds) })
    },
    async settle({ key: counter, limit, end }, outcome) {
      if (end === undefined && !isCounted(limit, outcome)) return
      await batched.run(counter, (state, now) => settlePlace(state, limit, end, outcome, now), { first: true })
    },
    async forget(limit, subject) {
      await batched.run(counterOf(limit, subject), forgetUses, { first: true })
    },
    isFull: () => batched.isFull,
  }
}

function isCounted({ budgets }: Limit, outcome: Outcome): boolean {
  return budgets.some(({ counts }) => counts.includes(outcome))
}
