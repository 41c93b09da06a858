// Marks sessions as seen, each at most once per interval, however many requests come at once. Nobody waits for it.
import { expiryAfter, needsTouch } from '../domain/session.ts'
import { isPromise } from './awaitable.ts'
import type { Engine } from './engine.ts'
import { Recent } from './recent.ts'
import type { SessionRow } from './store.ts'

// How many recent touches are remembered; when there are more, some sessions are touched once more than needed.
const MOST_TOUCHED = 20_000

export class Touches {
  readonly #engine: Pick<Engine, 'clock' | 'store'>
  readonly #touched = new Recent<number>(MOST_TOUCHED)
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
