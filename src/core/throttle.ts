// Limits how often something may be tried, across all processes: each try first takes a slot.
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import { keyedDigest } from '../domain/secret.ts'
import type { Counters } from '../storage/contract.ts'
import { BatchedCounters, type WaitLimits } from './batched-counters.ts'
import { type Limit, type Outcome, releaseSlot, takeSlot, unlockUses } from './counter-state.ts'

export type { Budget, Limit, Outcome, Rate } from './counter-state.ts'

/** Proofs of one user's identity, by what was typed and by user (core/proofs.ts). The second rate lengthens the wait; NIST SP 800-63B-4 3.2.2 allows 100. */
export const PROOFS_PER_USER: Limit = {
  name: 'login account',
  budgets: [
    { rate: '5 per 5m', counts: ['failure'], clearedBySuccess: true },
    { rate: '15 per 1h', counts: ['failure'], clearedBySuccess: true },
    // Successful logins are limited too: each costs a hash and a session.
    { rate: '60 per 1h', counts: ['success'] },
  ],
}

export interface Throttle {
  /**
   * Takes a slot for a try of a subject: a network, a canonical username. Waits if only slots of other tries are in the way. Throws
   * `too_many_requests` with the seconds to wait if finished tries have used the limit up, `overloaded` if the wait was too long.
   */
  take(limit: Limit, subject: string): Promise<Slot>
  /** Releases the slot, and counts the outcome of its try. */
  release(slot: Slot, outcome: Outcome): Promise<void>
  /** Resets the counter if it refuses tries, and returns whether it did; tries in progress keep their slots. */
  unlock(limit: Limit, subject: string): Promise<boolean>
  /** Whether no more tries may wait. */
  isFull(): boolean
}

/** The slot of a try in progress. */
export interface Slot {
  readonly key: string
  readonly limit: Limit
  /** When the slot expires, in case this process dies; undefined if the limit needs none. */
  readonly end: number | undefined
  /** Whether the subject had a success lately. */
  readonly isKnown: boolean
  /** Whether it is beyond a limit that does not refuse, but demotes. */
  readonly isBeyond: boolean
}

export const unlimited: Throttle = {
  take: async (limit) => ({ key: '', limit, end: undefined, isKnown: false, isBeyond: false }),
  release: async () => {},
  unlock: async () => false,
  isFull: () => false,
}

/** Counters are named by keyed digests, which reveal neither users nor networks. */
export function createThrottle(counters: Counters, clock: Clock, key: Uint8Array, waits: WaitLimits): Throttle {
  const batched = new BatchedCounters(counters, clock, waits)
  const counterOf = ({ name }: Limit, subject: string) => keyedDigest(key, `${name}\0${subject}`)
  return {
    async take(limit, subject) {
      const counter = counterOf(limit, subject)
      const admission = await batched.run(counter, (state, now) => takeSlot(state, limit, now))
      if (admission.admitted) {
        const { slotEnd: end, isKnown, isBeyond } = admission
        return { key: counter, limit, end, isKnown, isBeyond }
      }
      const seconds = Math.ceil((admission.until - clock.now()) / 1000)
      throw new MembershipError('too_many_requests', { retryAfter: Math.max(1, seconds) })
    },
    async release({ key: counter, limit, end }, outcome) {
      if (end === undefined && !isCounted(limit, outcome)) return
      await batched.run(counter, (state, now) => releaseSlot(state, limit, end, outcome, now), { first: true })
    },
    unlock: (limit, subject) =>
      batched.run(counterOf(limit, subject), (state, now) => unlockUses(state, limit, now), { first: true }),
    isFull: () => batched.isFull,
  }
}

function isCounted({ budgets }: Limit, outcome: Outcome): boolean {
  return budgets.some(({ counts }) => counts.includes(outcome))
}
