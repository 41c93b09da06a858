// How long a call waits for a database: two seconds while others are served, half a second while nobody is.
import { expect, test } from 'vitest'
import { Semaphore } from '../../src/database/postgres/semaphore.ts'
import { StoreUnavailableError } from '../../src/database/timeout.ts'
import { monotonicClock } from '../support/monotonic-clock.ts'

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

interface Outcomes {
  served: number
  rejected: number
}

/** What came of the calls when so much time has passed. */
async function outcomesAfter(ms: number, begin: () => readonly Promise<unknown>[]): Promise<Outcomes> {
  const clock = monotonicClock()
  const outcomes = { served: 0, rejected: 0 }
  for (const call of begin())
    call.then(
      () => outcomes.served++,
      (error: unknown) => void (error instanceof StoreUnavailableError && outcomes.rejected++),
    )
  await clock.forward(ms)
  return outcomes
}

test('a burst that takes longer than the deadline is worked off where the database goes on answering', async () => {
  const semaphore = new Semaphore(2)
  const begin = () => Array.from({ length: 20 }, () => semaphore.run(() => sleep(100)))
  expect(await outcomesAfter(1100, begin)).toEqual({ served: 20, rejected: 0 })
})

test('calls behind endless ones are refused after two seconds', async () => {
  const semaphore = new Semaphore(1)
  const { served, rejected } = await outcomesAfter(2200, () => Array.from({ length: 40 }, () => semaphore.run(() => sleep(150))))
  expect([served > 8, rejected > 10, served + rejected]).toEqual([true, true, 40])
})

test('F-10 where the database answers nobody, nobody waits longer than for its own call', async () => {
  const semaphore = new Semaphore(2)
  const hangs = () => sleep(500).then(() => Promise.reject(new StoreUnavailableError('it hangs')))
  const begin = () => Array.from({ length: 50 }, () => semaphore.run(hangs))
  expect(await outcomesAfter(1400, begin)).toEqual({ served: 0, rejected: 50 })
})
