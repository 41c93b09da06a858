// Many tries at once. A server of databases takes a few at a time; where the others wait for too long they are turned away with 503.
import { expect } from 'vitest'
import { ON_POSTGRES } from './site.ts'

/** As many were judged as may be, all others refused: on SQLite exactly, on PostgreSQL no more than that where the machine is slow. */
export function expectJudged(statuses: readonly number[], limit: number): void {
  const count = (status: number) => statuses.filter((one) => one === status).length
  const [judged, refused, turnedAway] = [count(401), count(429), ON_POSTGRES ? count(503) : 0]
  expect(judged + refused + turnedAway).toBe(statuses.length)
  if (turnedAway === 0) expect(judged).toBe(limit)
  else expect(judged).toBeLessThanOrEqual(limit)
}
