// Deletes expired rows now and then, in batches too short to be noticed.
import { setTimeout as pause } from 'node:timers/promises'
import type { Awaitable } from '../domain/awaitable.ts'
import type { Clock } from '../domain/clock.ts'
import { jitter } from './jitter.ts'

const EVERY_MS = 60_000
const FIRST_BATCH = 50
const MIN_BATCH = 10
const MAX_BATCH = 1000
/** A batch blocks everybody on a SQLite file, so it should take about this long. */
const GOAL_MS = 10
const MAX_PAUSE_MS = 200
/** How long one process keeps the others from cleaning up; it renews the lease while it goes on. */
const LEASE_MS = 10_000

/** A store whose rows expire. */
interface Expiring {
  /** Deletes expired rows, at most `limit`, and says how many. */
  deleteExpired(now: number, limit: number): Awaitable<number>
  /** Whether this process holds the lease until then. Without it every process cleans up. */
  acquireCleanupLease?(now: number, until: number): Awaitable<boolean>
}

/** Starts the cleanup; its timer keeps no process alive. Returns a function that stops it, after the running batch. */
export function startCleanup(store: Expiring, clock: Clock, onError: (error: unknown) => void): () => Promise<void> {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer = plan()

  function plan(): NodeJS.Timeout {
    return setTimeout(
      () => {
        running = cleanUp()
      },
      EVERY_MS * (0.75 + jitter() / 2),
    ).unref()
  }

  async function cleanUp(): Promise<void> {
    try {
      await deleteAllExpired(store, clock, () => !stopped)
    } catch (error) {
      onError(error)
    }
    if (!stopped) timer = plan()
  }

  return () => {
    stopped = true
    clearTimeout(timer)
    return running
  }
}

/** Deletes until nothing is left, `goesOn` returns false, or another process cleans up. */
export async function deleteAllExpired(store: Expiring, clock: Clock, goesOn: () => boolean): Promise<void> {
  let leasedUntil = 0
  for (let batch = FIRST_BATCH; goesOn(); ) {
    const now = clock.now()
    if (now > leasedUntil - LEASE_MS / 2) {
      leasedUntil = now + LEASE_MS
      if (store.acquireCleanupLease && !(await store.acquireCleanupLease(now, leasedUntil))) return
    }
    const startedAt = performance.now()
    if ((await store.deleteExpired(clock.now(), batch)) < batch) return
    const tookMs = performance.now() - startedAt
    batch = nextBatch(batch, tookMs)
    // Half of the time is left to requests and to other processes.
    await pause(Math.min(tookMs, MAX_PAUSE_MS))
  }
}

/** The size of the next batch, from how long the last one took. */
function nextBatch(batch: number, tookMs: number): number {
  if (tookMs > GOAL_MS) return Math.max(MIN_BATCH, Math.floor(batch / 2))
  return tookMs < GOAL_MS / 2 ? Math.min(MAX_BATCH, batch * 2) : batch
}
