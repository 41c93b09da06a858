// Timers and `performance.now()` that a test moves: deadlines are judged without waiting for them.
import { onTestFinished, vi } from 'vitest'

export interface MonotonicClock {
  /** Time passes, and timers run when they are due. */
  forward(ms: number): Promise<void>
  /** Time passes in which the process is busy with itself: no timer runs. */
  holdUp(ms: number): void
}

const TOGETHER = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const

/** Given back after the test. */
export function monotonicClock(): MonotonicClock {
  let now = performance.now()
  vi.useFakeTimers({ toFake: [...TOGETHER] })
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => {
    spy.mockRestore()
    vi.useRealTimers()
  })
  return {
    async forward(ms) {
      for (let passed = 0; passed < ms; passed++) {
        now++
        await vi.advanceTimersByTimeAsync(1)
      }
    },
    holdUp(ms) {
      now += ms
    },
  }
}
