// A deadline is about the store: what this process lost by its own work is not counted.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { StoreUnavailableError, startDeadline, withTimeout } from '../../src/database/timeout.ts'

function holdUp(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('F-10 a store that does not answer is given up after the deadline, and not much later', async () => {
  const startedAt = performance.now()
  await expect(withTimeout('a store', new Promise(() => {}), 200)).rejects.toThrow(StoreUnavailableError)
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThanOrEqual(195)
  expect(tookMs).toBeLessThan(400)
})

test('F-17 where the process itself was held up, the store still has its time to answer', async () => {
  const left = startDeadline(300)
  const answer = withTimeout('a store', sleep(600, 'an answer'), 300)
  holdUp(500)
  expect(left()).toBeGreaterThan(200)
  expect(await answer).toBe('an answer')
})

test('a call that takes its time after another that was quick has its whole deadline', async () => {
  await withTimeout('a store', sleep(1), 100)
  await sleep(200)
  expect(await withTimeout('a store', sleep(80, 'an answer'), 100)).toBe('an answer')
})
