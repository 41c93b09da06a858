// Many tries at once.
import { expect } from 'vitest'

/** Exactly as many were judged as may be, all others refused; none was answered 503. */
export function expectJudged(statuses: readonly number[], limit: number): void {
  const counts = [...Map.groupBy(statuses, String)].map(([status, all]) => [status, all.length] as const)
  expect(Object.fromEntries(counts)).toEqual({ 401: limit, 429: statuses.length - limit })
}
