// Waiting for another process that has the SQLite file locked, without holding this one up.
import { setTimeout } from 'node:timers/promises'
import { jitter } from '../jitter.ts'
import { isBusy } from './error-codes.ts'

export const OPENING_TIMEOUT_MS = 5000
const DEADLINE_MS = 5000
const MIN_PAUSE_MS = 2
const MAX_PAUSE_MS = 50

/** Another process kept the file locked for too long. Nothing was written. */
export class StoreBusyError extends Error {
  override readonly name = 'StoreBusyError'
  readonly code = 'store_busy'

  constructor(cause: unknown) {
    super(`the SQLite file was locked by another process for ${DEADLINE_MS} ms`, { cause })
  }
}

/** Tries again until the file is free. Throws `StoreBusyError` after the deadline. */
export async function retryLater<T>(work: () => T, first: unknown): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS
  let busy = first
  for (let pause = MIN_PAUSE_MS; performance.now() < deadline; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    await setTimeout(pause * (0.5 + jitter()))
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw error
      busy = error
    }
  }
  throw new StoreBusyError(busy)
}

/** For the start alone: tries until the file is free, and blocks the process meanwhile. */
export function retryBlocking<T>(work: () => T): T {
  const deadline = performance.now() + OPENING_TIMEOUT_MS
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (performance.now() > deadline) throw new StoreBusyError(error)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MIN_PAUSE_MS)
    }
  }
}
