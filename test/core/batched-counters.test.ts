// The queue before a counter: an update that waits too long leaves it and takes no slot.
import { expect, onTestFinished, test } from 'vitest'
import { BatchedCounters } from '../../src/core/batched-counters.ts'
import { takeSlot } from '../../src/core/counter-state.ts'
import { createThrottle } from '../../src/core/throttle.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { testClock } from '../support/clock.ts'
import { failuresOf, throttleOn } from '../support/throttles.ts'

async function countersOfTest() {
  const db = openDatabase('sqlite::memory:')
  onTestFinished(() => db.close())
  await db.migrate()
  return db.counters
}

const ONE = failuresOf('1 per 10m')

test('B-23 somebody who waits until it is too late is told that the server is busy, and the next one is let in', async () => {
  const counters = await countersOfTest()
  const throttle = createThrottle(counters, systemClock, new Uint8Array(32), { maxWaiting: 10, maxWaitMs: 1 })
  const first = await throttle.take(ONE, 'somebody')
  const late = Array.from({ length: 5 }, () => throttle.take(ONE, 'somebody'))
  for (const one of await Promise.allSettled(late)) expect(one).toMatchObject({ reason: { code: 'overloaded' } })
  await throttle.release(first, 'success')
  await throttle.release(await throttle.take(ONE, 'somebody'), 'success')
})

test('B-23 those who wait are let in in the order in which they came, each when one before them was judged', async () => {
  const throttle = throttleOn(await countersOfTest())
  const order: number[] = []
  const login = async (n: number) => {
    const slot = await throttle.take(ONE, 'somebody')
    order.push(n)
    await throttle.release(slot, 'success')
  }
  await Promise.all(Array.from({ length: 20 }, (_, n) => login(n)))
  expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n))
})

test('a store that fails is told to everybody in the queue, and the next one is served again', async () => {
  const counters = await countersOfTest()
  const batched = new BatchedCounters(counters, systemClock, { maxWaiting: 10, maxWaitMs: 1000 })
  const { find, swap } = counters
  const fail = () => Promise.reject(new Error('the store is away'))
  Object.assign(counters, { find: fail, swap: fail })
  const take = () => batched.run('key', (state, now) => takeSlot(state, ONE, now))
  for (const one of await Promise.allSettled([take(), take()])) expect(one).toMatchObject({ reason: { message: /away/ } })
  Object.assign(counters, { find, swap })
  expect(await take()).toMatchObject({ admitted: true })
})

test('F-15 a counter that was filled while the clock was a year ahead locks nobody out once it is right', async () => {
  const counters = await countersOfTest()
  const limit = { ...ONE, remembersSuccess: true } as const
  const [right, ahead] = [testClock(), testClock()]
  ahead.forward('365d')
  const wrong = throttleOn(counters, ahead)
  await wrong.release(await wrong.take(limit, 'somebody'), 'success')
  await wrong.release(await wrong.take(limit, 'somebody'), 'failure')
  await expect(wrong.take(limit, 'somebody')).rejects.toMatchObject({ code: 'too_many_requests' })
  const slot = await throttleOn(counters, right).take(limit, 'somebody')
  expect(slot.isKnown).toBe(false)
  await throttleOn(counters, right).release(slot, 'failure')
  await expect(throttleOn(counters, right).take(limit, 'somebody')).rejects.toMatchObject({ retryAfter: 600 })
})

test('F-15 processes whose clocks lie two minutes apart count together', async () => {
  const counters = await countersOfTest()
  const [here, there] = [testClock(), testClock()]
  there.forward('2m')
  const throttles = [throttleOn(counters, here), throttleOn(counters, there)]
  await throttles[1]?.release(await (throttles[1]?.take(ONE, 'somebody') ?? Promise.reject()), 'failure')
  await expect(throttles[0]?.take(ONE, 'somebody')).rejects.toMatchObject({ code: 'too_many_requests' })
})
