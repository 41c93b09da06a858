// A deadline is about the store: what this process lost by its own work is not counted.
import { expect, test } from 'vitest'
import { StoreUnavailableError, startDeadline, withTimeout } from '../../src/database/timeout.ts'
import { monotonicClock } from '../support/monotonic-clock.ts'

const answerAfter = (ms: number) => new Promise((resolve) => setTimeout(() => resolve('an answer'), ms))

test('F-10 a store that does not answer is given up after the deadline, and not much later', async () => {
  const clock = monotonicClock()
  let gaveUp: unknown
  void withTimeout('a store', new Promise(() => {}), 200).catch((error: unknown) => {
    gaveUp = error
  })
  await clock.forward(195)
  expect(gaveUp).toBeUndefined()
  await clock.forward(45)
  expect(gaveUp).toBeInstanceOf(StoreUnavailableError)
})

test('F-17 where the process itself was held up, the store still has its time to answer', async () => {
  const clock = monotonicClock()
  const left = startDeadline(300)
  const answer = withTimeout('a store', answerAfter(100), 300)
  clock.holdUp(500)
  expect(left()).toBeGreaterThan(200)
  await clock.forward(100)
  expect(await answer).toBe('an answer')
})

test('a call that takes its time after another that was quick has its whole deadline', async () => {
  const clock = monotonicClock()
  const first = withTimeout('a store', answerAfter(1), 100)
  await clock.forward(200)
  await first
  const second = withTimeout('a store', answerAfter(80), 100)
  await clock.forward(80)
  expect(await second).toBe('an answer')
})
