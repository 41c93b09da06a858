// Marks sessions as seen, each at most once per interval, however many requests come at once. Nobody waits for it.

import { isPromise } from '../../domain/awaitable.ts'
import { BoundedCache } from '../../domain/bounded-cache.ts'
import { expiryAfter, needsTouch } from '../../domain/session-lifetime.ts'
import type { SessionRow } from '../store.ts'
import type { Engine } from './engine.ts'

// How many recent touches are remembered; when there are more, some sessions are touched once more than needed.
const MOST_TOUCHED = 20_000

export class TouchThrottle {
  readonly #engine: Pick<Engine, 'clock' | 'store'>
  readonly #touched = new BoundedCache<number>(MOST_TOUCHED)
  readonly #onError: (error: unknown) => void

  constructor(engine: Pick<Engine, 'clock' | 'store'>, onError: (error: unknown) => void) {
    this.#engine = engine
    this.#onError = onError
  }

  touch(row: SessionRow): void {
    const { clock, store } = this.#engine
    const now = clock.now()
    if (!needsTouch(row, now)) return
    const touchedAt = this.#touched.get(row.hash)
    if (touchedAt !== undefined && !needsTouch({ lastSeenAt: touchedAt, idleMs: row.idleMs }, now)) return
    this.#touched.set(row.hash, now)
    const failed = (error: unknown): void => {
      this.#touched.delete(row.hash)
      this.#onError(error)
    }
    try {
      const touched = store.touch(row.hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) })
      if (isPromise(touched)) touched.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
