// Sweeping, in the way of nobody: how much is taken at once, and that all of it goes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from 'guildhall/session/sqlite'
import { sessionRow } from 'guildhall/testing'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { startCleanup } from '../../src/database/cleanup.ts'
import { HandClock } from '../session/support.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** Only a cleanup that has stopped takes longer. */
const LONG_TIMEOUT = { timeout: 60_000 }

/** What one deleteExpired asks of a store whose batches take so long. */
async function asked(tookMs: number, batches: number): Promise<number[]> {
  const limits: number[] = []
  let now = 0
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => spy.mockRestore())
  const deleteExpired = (_now: number, limit: number): number => {
    limits.push(limit)
    now += tookMs
    return limits.length < batches ? limit : 0
  }
  const stop = startCleanup({ deleteExpired }, new HandClock(), (error) => expect(error).toBeUndefined())
  await vi.advanceTimersByTimeAsync(76_000)
  await vi.waitFor(() => expect(limits).toHaveLength(batches), LONG_TIMEOUT)
  await stop()
  return limits
}

test('where batches keep everybody waiting, they get smaller, and never too small to end', async () => {
  expect(await asked(11, 6)).toEqual([50, 25, 12, 10, 10, 10])
})

test('where it goes fast, batches grow, and stay bounded', async () => {
  expect(await asked(0, 7)).toEqual([50, 100, 200, 400, 800, 1000, 1000])
})

test('of two processes on one file one cleans up at a time, and the other takes over when it is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [one, other] = [1, 2].map(() => new SqliteStore({ path: join(folder, 'sessions.db') }))
  for (const store of [one, other]) onTestFinished(() => store?.close())
  expect(await one?.acquireCleanupLease(1000, 11_000)).toBe(true)
  expect(await other?.acquireCleanupLease(1001, 11_001)).toBe(false)
  expect(await one?.acquireCleanupLease(6000, 16_000)).toBe(true)
  expect(await other?.acquireCleanupLease(15_999, 26_000)).toBe(false)
  expect(await other?.acquireCleanupLease(16_000, 26_000)).toBe(true)
  expect(await one?.acquireCleanupLease(16_001, 26_001)).toBe(false)
})

test('two processes that deleteExpired one file at the same time take everything that has expired and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const stores = [1, 2].map(() => new SqliteStore({ path: join(folder, 'sessions.db') }))
  for (const store of stores) onTestFinished(() => store.close())
  const [one] = stores
  const clock = new HandClock()
  for (let n = 0; n < 700; n++) await one?.create(sessionRow({ expiresAt: clock.now() - n }))
  await one?.create(sessionRow({ expiresAt: clock.now() + 1, endsAt: clock.now() + 1 }))
  const stops = stores.map((store) => startCleanup(store, clock, (error) => expect(error).toBeUndefined()))
  await vi.advanceTimersByTimeAsync(76_000)
  await vi.waitFor(() => expect(one?.count(0)).toBe(1), LONG_TIMEOUT)
  await Promise.all(stops.map((stop) => stop()))
})
