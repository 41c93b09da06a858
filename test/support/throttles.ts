// The throttle of one process on a database, without the pages before it.
import { BatchedCounters } from '../../src/core/batched-counters.ts'
import { createThrottle, type Limit, type Outcome, type Throttle } from '../../src/core/throttle.ts'
import { type Clock, systemClock } from '../../src/domain/clock.ts'
import type { Counters } from '../../src/storage/contract.ts'

const KEY = new Uint8Array(32).fill(7)
const WAITS = { maxWaiting: 10_000, maxWaitMs: 30_000 }

/** Those on one database count together. */
export function throttleOn(counters: Counters, clock: Clock = systemClock): Throttle {
  return createThrottle(counters, clock, KEY, WAITS)
}

export function countersOn(counters: Counters, clock: Clock = systemClock): BatchedCounters {
  return new BatchedCounters(counters, clock, WAITS)
}

export const failuresOf = (rate: Limit['budgets'][number]['rate']): Limit => ({
  name: 'test',
  budgets: [{ rate, counts: ['failure'] }],
})

/** So many tries at once, spread over the processes; gives how many were judged. The others were refused because of those that failed. */
export async function tryAtOnce(
  throttles: readonly Throttle[],
  times: number,
  limit: Limit,
  outcomeOf: (n: number) => Outcome,
): Promise<number> {
  const tries = Array.from({ length: times }, async (_, n) => {
    const throttle = throttles[n % throttles.length]
    const slot = await throttle?.take(limit, 'somebody')
    if (slot) await throttle?.release(slot, outcomeOf(n))
  })
  const refused = (await Promise.allSettled(tries)).filter((one) => one.status === 'rejected')
  for (const { reason } of refused) if (reason.code !== 'too_many_requests') throw reason
  return times - refused.length
}
