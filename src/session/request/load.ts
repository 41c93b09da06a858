// Loads the session of a request: the first of its ids that leads to a live row.
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { BoundedCache } from '../../domain/bounded-cache.ts'
import { expiryAfter, needsTouch } from '../../domain/session-lifetime.ts'
import { MAX_CANDIDATES } from '../cookies/read.ts'
import { isSuperseded } from '../row.ts'
import type { SessionRow } from '../store.ts'
import type { Engine, LoadedSession } from './engine.ts'

/** How many recent touches are remembered; with more sessions than these, some are touched once more than needed. */
const MAX_TOUCHED = 20_000

interface TouchListeners<Row> {
  onTouch(row: Row): void
  onError(error: unknown): void
}

export class Loader<Row extends SessionRow> {
  readonly #engine: Engine<Row>
  readonly #listeners: TouchListeners<Row>
  readonly #touched = new BoundedCache<number>(MAX_TOUCHED)

  constructor(engine: Engine<Row>, listeners: TouchListeners<Row>) {
    this.#engine = engine
    this.#listeners = listeners
  }

  load(ids: readonly string[], from = 0): Awaitable<LoadedSession<Row> | undefined> {
    for (let at = from; at < ids.length && at < MAX_CANDIDATES; at++) {
      const id = ids[at] ?? ''
      const row = this.#engine.store.find(this.#engine.keyOf(id))
      if (isPromise(row)) return row.then((found) => this.#accept(id, found) ?? this.load(ids, at + 1))
      const accepted = this.#accept(id, row)
      if (accepted) return accepted
    }
    return undefined
  }

  #accept(id: string, row: Row | undefined): LoadedSession<Row> | undefined {
    const { isLive, behavior } = this.#engine
    if (!isLive(row)) return undefined
    // With `resave` and `rolling` every response does it.
    if (!isSuperseded(row) && !behavior.resave && !behavior.rolling) this.#touch(row)
    return { id, row }
  }

  /** At most once per interval, however many requests come at once. Nobody waits for it. */
  #touch(row: Row): void {
    const { clock, store } = this.#engine
    const now = clock.now()
    if (!needsTouch(row, now)) return
    const touchedAt = this.#touched.get(row.hash)
    if (touchedAt !== undefined && !needsTouch({ lastSeenAt: touchedAt, idleMs: row.idleMs }, now)) return
    this.#touched.set(row.hash, now)
    this.#listeners.onTouch(row)
    const failed = (error: unknown): void => {
      this.#touched.delete(row.hash)
      this.#listeners.onError(error)
    }
    try {
      const touched = store.touch(row.hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) })
      if (isPromise(touched)) touched.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
