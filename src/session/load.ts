// Steps one and two of a request: reads the ids out of its cookies, loads the session that one of them leads to.
import type { IncomingMessage } from 'node:http'
import { expiryAfter, needsTouch } from '../domain/session.ts'
import { isPromise } from './awaitable.ts'
import { MOST_CANDIDATES, type ReadIds } from './cookie.ts'
import type { Engine, Found } from './engine.ts'
import { Recent } from './recent.ts'
import type { Awaitable, SessionRow } from './store.ts'

// How many recent touches are remembered; when there are more, some sessions are touched once more than needed.
const MOST_TOUCHED = 20_000

export class Loader<Row extends SessionRow> {
  readonly #engine: Engine<Row>
  readonly #readIds: ReadIds
  readonly #touched = new Recent<number>(MOST_TOUCHED)
  readonly #onTouchError: (error: unknown) => void

  constructor(engine: Engine<Row>, readIds: ReadIds, onTouchError: (error: unknown) => void) {
    this.#engine = engine
    this.#readIds = readIds
    this.#onTouchError = onTouchError
  }

  /** Step one: read. */
  ids(req: IncomingMessage): readonly string[] {
    const ids = this.#readIds(req.headers.cookie)
    return ids.length > MOST_CANDIDATES ? ids.slice(0, MOST_CANDIDATES) : ids
  }

  /** Step two: load. The first id that leads to a live session; in the usual case there is one id, and the store is asked once. */
  load(ids: readonly string[], from = 0): Awaitable<Found<Row> | undefined> {
    for (let at = from; at < ids.length; at++) {
      const id = ids[at] ?? ''
      const row = this.#engine.store.find(this.#engine.keyOf(id))
      if (isPromise(row)) return row.then((found) => this.#accept(id, found) ?? this.load(ids, at + 1))
      const accepted = this.#accept(id, row)
      if (accepted) return accepted
    }
    return undefined
  }

  #accept(id: string, row: Row | undefined): Found<Row> | undefined {
    if (!this.#engine.isLive(row)) return undefined
    if (!isRetired(row) && !this.#engine.habits.resave) this.#touch(row)
    return { id, row }
  }

  /** Marks a session as seen, at most once per interval, however many requests come at once. Nobody waits for it. */
  #touch(row: Row): void {
    const { clock, store } = this.#engine
    const now = clock.now()
    if (!needsTouch(row, now)) return
    const touchedAt = this.#touched.get(row.hash)
    if (touchedAt !== undefined && !needsTouch({ lastSeenAt: touchedAt, idleMs: row.idleMs }, now)) return
    this.#touched.set(row.hash, now)
    const failed = (error: unknown): void => {
      this.#touched.delete(row.hash)
      this.#onTouchError(error)
    }
    try {
      const touched = store.touch(row.hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) })
      if (isPromise(touched)) touched.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

/** Whether a session was replaced by a bare `regenerate`: requests that were on their way may read it, and nothing else. */
export function isRetired(row: SessionRow): boolean {
  return row.idleMs === 0
}
