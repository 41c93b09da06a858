// `req.session.update`: reads, changes and writes in one piece, whoever else writes to the session.
import { setImmediate } from 'node:timers/promises'
import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { emptyObject, NO_VALUES, valuesOfRow } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch } from '../store.ts'
import { diff, fill } from './diff.ts'
import type { RequestState } from './request-state.ts'
import { createRow } from './save.ts'
import type { SessionHandle } from './session-handle.ts'

/** A change that loses to others so often in a row is given up. */
const MAX_TRIES = 1000

type Change<T> = (data: object) => Awaitable<T>

export function update<T>(of: RequestState, handle: SessionHandle, change: Change<T>): Awaitable<T> {
  if (handle.state === 'failed')
    throw new Error('req.session.update: the session failed in this request, which writes no more to it')
  return handle.storedRow === undefined ? changeNew(of, handle, change) : changeStored(of, handle, change)
}

export function gone(): Error {
  return new Error('req.session.update: this session is no longer there')
}

/** Reads the session as it is now, changes it, writes only if nobody else wrote meanwhile; else begins again. */
function changeStored<T>(of: RequestState, handle: SessionHandle, change: Change<T>, tries = 0): Awaitable<T> {
  const { store, reserved, isLive } = of.engine
  if (tries === MAX_TRIES) throw new Error(`req.session.update: others were faster ${MAX_TRIES} times`)
  return after(store.find(handle.storedRow?.hash ?? ''), (row) => {
    if (!isLive(row) || isSuperseded(row)) {
      of.lost(handle)
      throw gone()
    }
    const values = valuesOfRow(row)
    const draft = emptyObject()
    fill(draft, values, reserved)
    return after(call(of, change, draft), (result) => {
      const patch = diff(draft, values, reserved)
      if (patch === undefined) return result
      return after(store.update(row.hash, patch, { ifRevision: row.revision }), (updated) => {
        if (!updated) {
          const again = () => changeStored(of, handle, change, tries + 1)
          // A store that answers at once would hold the process while another one writes.
          return tries % 10 === 9 ? setImmediate().then(again) : again()
        }
        handle.patched(patch)
        show(of, handle, patch)
        return result
      })
    })
  })
}

/** The same if nothing is stored yet: nobody else can know this session. */
function changeNew<T>(of: RequestState, handle: SessionHandle, change: Change<T>): Awaitable<T> {
  const draft = Object.assign(emptyObject(), handle.session)
  return after(call(of, change, draft), (result) => {
    const patch = diff(draft, NO_VALUES, of.engine.reserved)
    if (patch === undefined) return result
    return after(createRow(of, handle, patch), () => {
      show(of, handle, patch)
      return result
    })
  })
}

/** Whatever else the function asks of the session would wait for it, and it for that: refused until it has settled. */
function call<T>(of: RequestState, change: Change<T>, draft: object): Awaitable<T> {
  const settled = (): void => {
    of.isChanging = false
  }
  of.isChanging = true
  try {
    const result = change(draft)
    if (isPromise(result)) return Promise.resolve(result).finally(settled)
    settled()
    return result
  } catch (error) {
    settled()
    throw error
  }
}

/** What an atomic change wrote is there for this request too. */
function show({ engine }: RequestState, { session }: SessionHandle, patch: SessionPatch): void {
  if (session === undefined) return
  const written = Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null)
  fill(session, new Map(written), engine.reserved)
  for (const key of Object.keys(patch)) if (patch[key] === null) Reflect.deleteProperty(session, key)
}
