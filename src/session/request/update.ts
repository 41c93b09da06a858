// `req.session.update`: a change that reads, changes and writes in one piece, whoever else writes to the session.
import { setImmediate } from 'node:timers/promises'
import { type Awaitable, after } from '../../domain/awaitable.ts'
import { emptyObject, patchTexts, textsOfRow } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch, SessionRow } from '../store.ts'
import { RequestSession } from './request-session.ts'
import { fill, notice } from './session.ts'

/** A change that loses to others so often in a row is given up. */
const MOST_TRIES = 1000

export abstract class UpdatingSession<Row extends SessionRow> extends RequestSession<Row> {
  /** While the function of the application runs. */
  protected isChanging = false

  /** Reads the session as it is now, changes it, writes only where nobody else wrote meanwhile; else begins again. */
  protected change<T>(change: (data: object) => Awaitable<T>, tries = 0): Awaitable<T> {
    const { store, reserved } = this.engine
    const { stored } = this
    if (stored === undefined) return this.#changeNew(change)
    if (tries === MOST_TRIES) throw new Error(`req.session.update: ${MOST_TRIES} times somebody else was faster`)
    return after(store.find(stored.hash), (row) => {
      if (!this.engine.isLive(row) || isSuperseded(row)) throw gone()
      const texts = textsOfRow(row)
      const draft = emptyObject()
      fill(draft, texts, reserved)
      return after(this.#call(change, draft), (result) => {
        const patch = notice(draft, texts, reserved)
        if (patch === undefined) return result
        return after(store.update(row.hash, patch, { unchangedFrom: row.data }), (updated) => {
          if (updated) return this.#adopt(patch, result)
          // A store that answers at once would hold the process while another one writes.
          return tries % 10 === 9 ? setImmediate().then(() => this.change(change, tries + 1)) : this.change(change, tries + 1)
        })
      })
    })
  }

  /** The same where nothing is stored yet: nobody else can know this session. */
  #changeNew<T>(change: (data: object) => Awaitable<T>): Awaitable<T> {
    const { reserved } = this.engine
    const draft = Object.assign(emptyObject(), this.current)
    return after(this.#call(change, draft), (result) => {
      const patch = notice(draft, new Map(), reserved)
      if (patch === undefined) return result
      return after(this.create(patch), () => this.#adopt(patch, result))
    })
  }

  #call<T>(change: (data: object) => Awaitable<T>, draft: object): Awaitable<T> {
    this.isChanging = true
    try {
      return change(draft)
    } finally {
      this.isChanging = false
    }
  }

  /** What an atomic change wrote is there for this request too. */
  #adopt<T>(patch: SessionPatch, result: T): T {
    if (this.current) {
      const written = Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null)
      fill(this.current, new Map(written), this.engine.reserved)
      for (const key of Object.keys(patch)) if (patch[key] === null) Reflect.deleteProperty(this.current, key)
    }
    this.texts = patchTexts(this.textsNow(), patch)
    return result
  }
}

export function gone(): Error {
  return new Error('req.session.update: this session is no longer there')
}
