// Who waits for a database: as long as others are served, not longer than two seconds, and half a second where nobody is.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Semaphore } from '../../src/database/postgres/semaphore.ts'
import { StoreUnavailableError } from '../../src/database/timeout.ts'

async function outcomes(calls: readonly Promise<unknown>[]): Promise<{ readonly served: number; readonly turnedAway: number }> {
  const settled = await Promise.allSettled(calls)
  const turnedAway = settled.filter((one) => one.status === 'rejected' && one.reason instanceof StoreUnavailableError).length
  return { served: settled.filter(({ status }) => status === 'fulfilled').length, turnedAway }
}

test('a burst that takes longer than the deadline is worked off where the database goes on answering', async () => {
  const lane = new Semaphore(2)
  const calls = Array.from({ length: 20 }, () => lane.run(() => sleep(100)))
  expect(await outcomes(calls)).toEqual({ served: 20, turnedAway: 0 })
})

test('what comes without end is turned away after two seconds', async () => {
  const lane = new Semaphore(1)
  const startedAt = performance.now()
  const { served, turnedAway } = await outcomes(Array.from({ length: 40 }, () => lane.run(() => sleep(150))))
  expect([served > 8, turnedAway > 10]).toEqual([true, true])
  expect(performance.now() - startedAt).toBeLessThan(4000)
})

test('F-10 where the database answers nobody, nobody waits longer than for its own call', async () => {
  const lane = new Semaphore(2)
  const startedAt = performance.now()
  const hangs = () => sleep(500).then(() => Promise.reject(new StoreUnavailableError('it hangs')))
  expect(await outcomes(Array.from({ length: 50 }, () => lane.run(hangs)))).toEqual({ served: 0, turnedAway: 50 })
  expect(performance.now() - startedAt).toBeLessThan(1400)
})
