// `req.session.update`: an atomic change, whatever other requests write meanwhile.
import { setImmediate } from 'node:timers/promises'
import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { emptyObject, NO_VALUES, valuesOfRow } from '../data.ts'
import { isSuperseded } from '../row.ts'
import type { SessionPatch } from '../store.ts'
import { diff, fill } from './diff.ts'
import type { RequestState } from './request-state.ts'
import { createRow } from './save.ts'
import type { SessionHandle } from './session-handle.ts'

/** A change that other writers overtake so often in a row is given up. */
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

/** Reads the session, changes it, and writes only if nobody else wrote meanwhile; else begins again. */
function changeStored<T>(of: RequestState, handle: SessionHandle, change: Change<T>, tries = 0): Awaitable<T> {
  const { store, reserved, isLive } = of.engine
  if (tries === MAX_TRIES) throw new Error(`req.session.update: others were faster ${MAX_TRIES} times`)
  return after(store.find(handle.storedRow?.hash ?? ''), (row) => {
    if (!isLive(row) || isSuperseded(row)) {
      of.lost(handle)
      throw gone()
    }
    const values = valuesOfRow(row)
    const copy = emptyObject()
    fill(copy, values, reserved)
    return after(runChange(of, change, copy), (result) => {
      const patch = diff(copy, values, reserved)
      if (patch === undefined) return result
      return after(store.update(row.hash, patch, { ifRevision: row.revision }), (updated) => {
        if (!updated) {
          const again = () => changeStored(of, handle, change, tries + 1)
          // A synchronous store would block this process while another one writes.
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
  const copy = Object.assign(emptyObject(), handle.session)
  return after(runChange(of, change, copy), (result) => {
    const patch = diff(copy, NO_VALUES, of.engine.reserved)
    if (patch === undefined) return result
    return after(createRow(of, handle, patch), () => {
      show(of, handle, patch)
      return result
    })
  })
}

/** Other operations inside the function would deadlock with it: they are refused until it has finished. */
function runChange<T>(of: RequestState, change: Change<T>, copy: object): Awaitable<T> {
  const finished = (): void => {
    of.isChanging = false
  }
  of.isChanging = true
  try {
    const result = change(copy)
    if (isPromise(result)) return Promise.resolve(result).finally(finished)
    finished()
    return result
  } catch (error) {
    finished()
    throw error
  }
}

/** Shows this request what the change wrote. */
function show({ engine }: RequestState, { session }: SessionHandle, patch: SessionPatch): void {
  if (session === undefined) return
  const written = Object.entries(patch).filter((entry): entry is [string, string] => entry[1] !== null)
  fill(session, new Map(written), engine.reserved)
  for (const key of Object.keys(patch)) if (patch[key] === null) Reflect.deleteProperty(session, key)
}
