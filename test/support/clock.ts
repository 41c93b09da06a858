// A clock that tests move by hand.
import type { Clock } from '../../src/domain/clock.ts'
import { type Duration, parseDuration } from '../../src/domain/duration.ts'

export interface TestClock extends Clock {
  forward(by: Duration): void
}

export function testClock(start = Date.now()): TestClock {
  let now = start
  return {
    now: () => now,
    forward(by) {
      now += parseDuration(by) ?? 0
    },
  }
}
