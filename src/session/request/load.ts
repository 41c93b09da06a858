// Steps one and two of a request: reads the ids out of its cookies, loads the session that one of them leads to.
import type { IncomingMessage } from 'node:http'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { MOST_CANDIDATES, type ReadIds } from '../cookies/cookie.ts'
import { isSuperseded } from '../row.ts'
import type { SessionRow } from '../store.ts'
import type { Engine, Found } from './engine.ts'
import { TouchThrottle } from './touch-throttle.ts'

export class Loader<Row extends SessionRow> {
  readonly #engine: Engine<Row>
  readonly #readIds: ReadIds
  readonly #touches: TouchThrottle

  constructor(engine: Engine<Row>, readIds: ReadIds, onTouchError: (error: unknown) => void) {
    this.#engine = engine
    this.#readIds = readIds
    this.#touches = new TouchThrottle(engine, onTouchError)
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
    if (!isSuperseded(row) && !this.#engine.behavior.resave) this.#touches.touch(row)
    return { id, row }
  }
}
