// Saves a session: a stored row is patched, never created again.
import { StoreUnavailableError } from '../../database/timeout.ts'
import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { expiryAfter, needsTouch } from '../../domain/session-lifetime.ts'
import { COOKIE_KEY, emptyObject, NO_VALUES, PREDECESSOR_KEY, patchValues, writeValues } from '../data.ts'
import { newRow } from '../row.ts'
import type { SessionPatch, SessionRow } from '../store.ts'
import { diff } from './diff.ts'
import { isHeadOut } from './head.ts'
import type { RequestState } from './request-state.ts'
import type { SessionHandle } from './session-handle.ts'

const NO_CHANGE: SessionPatch = emptyObject()

/** Undefined if there is nothing to save. Every write is decided here. */
export function changesOf(of: RequestState, handle: SessionHandle): SessionPatch | undefined {
  if (!handle.isWritable) return undefined
  const { reserved, behavior } = of.engine
  const patch = handle.session && diff(handle.session, handle.values, reserved)
  if (handle.storedRow === undefined) {
    return patch ?? (behavior.saveUninitialized || handle.isSuccessor ? NO_CHANGE : undefined)
  }
  if (handle.usedCookie?.isChanged) return Object.assign(emptyObject(), patch, { [COOKIE_KEY]: handle.cookie.text })
  const isDue = behavior.resave !== false && !handle.isSaved
  return patch ?? (isDue || needsProof(of, handle) ? NO_CHANGE : undefined)
}

export function saveChanges(of: RequestState, handle: SessionHandle, patch = changesOf(of, handle)): Awaitable<void> {
  if (patch === undefined) return
  const row = handle.storedRow
  if (row === undefined) return createRow(of, handle, patch)
  refuseOtherUser(of, handle, row)
  const { store, behavior } = of.engine
  const limited = COOKIE_KEY in patch ? withLimits(row, handle) : row
  const isChanged = patch !== NO_CHANGE
  const sends = limited !== row || (isChanged && behavior.cookieCanChange && row.persistent) || needsProof(of, handle)
  // First, as it may throw.
  const cookies = sends ? handle.cookie.issue(limited) : undefined
  const isPatched = isChanged || (behavior.resave === 'write' && !handle.isSaved)
  return after(isPatched ? store.update(row.hash, patch) : true, (updated) => {
    // The write is dropped: a session that has ended does not come back.
    if (!updated) return of.lost(handle)
    handle.patched(patch)
    const marks = !isPatched || limited !== row || (behavior.resave === 'touch' && needsTouch(row, of.engine.clock.now()))
    if (!marks && cookies === undefined) return
    return after(marks ? touch(of, handle, limited) : true, (lives) => {
      if (lives && cookies !== undefined) of.sendCookies(handle, cookies)
    })
  })
}

/** The row names its user from the beginning: an anonymous session may have been planted by an attacker. */
function refuseOtherUser({ engine }: RequestState, { session }: SessionHandle, row: SessionRow): void {
  const userId = session && engine.behavior.userOf?.(session)
  if (userId !== undefined && userId !== row.userId)
    throw new TypeError('session(): userOf names another user than at the beginning: await req.session.regenerate() at the login')
}

/** The first row of a session. If its cookie cannot go out, it is not stored. */
export function createRow(of: RequestState, handle: SessionHandle, patch: SessionPatch): Awaitable<void> {
  const { keyOf, clock, store, behavior } = of.engine
  const late = isHeadOut(of.request.res) && of.outgoingCookies === undefined
  if (late || !handle.cookie.isAllowed) return
  const values = new Map(patchValues(NO_VALUES, patch))
  if (handle.usedCookie?.isChanged || behavior.storesCookie) values.set(COOKIE_KEY, handle.cookie.text)
  const { predecessor } = handle
  if (predecessor !== undefined) values.set(PREDECESSOR_KEY, predecessor)
  const { persistent, ...limits } = handle.cookie.limits
  const userId = handle.session && behavior.userOf?.(handle.session)
  const begun = newRow({ hash: keyOf(handle.id), data: writeValues(values), now: clock.now(), limits, persistent })
  const row = userId === undefined ? begun : { ...begun, userId }
  const cookies = handle.cookie.issue(row)
  if (cookies === undefined) return
  const create = (): Awaitable<void> =>
    after(store.create(row), () => {
      handle.created(row, values)
      of.sendCookies(handle, cookies)
    })
  return patch === NO_CHANGE && !handle.isSuccessor ? unlessUnavailable(create) : create()
}

/** A visitor without data in the session loses nothing: the page does not fail because the store is away. */
function unlessUnavailable(create: () => Awaitable<void>): Awaitable<void> {
  const ignore = (error: unknown): void => {
    if (!(error instanceof StoreUnavailableError)) throw error
  }
  try {
    const creating = create()
    return isPromise(creating) ? creating.catch(ignore) : creating
  } catch (error) {
    ignore(error)
  }
}

/** Marks a row as seen now, with its limits if they changed. Returns whether it lives. */
export function touch(of: RequestState, handle: SessionHandle, row: SessionRow): Awaitable<boolean> {
  const { clock, store } = of.engine
  const lastSeenAt = clock.now()
  const expiresAt = expiryAfter(lastSeenAt, row)
  const { idleMs, endsAt, persistent } = row
  const limits = row === handle.storedRow ? undefined : { idleMs, endsAt, persistent }
  return after(store.touch(row.hash, { lastSeenAt, expiresAt, limits }), (touched) => {
    if (touched) handle.touched({ ...row, lastSeenAt, expiresAt })
    else of.lost(handle)
    return touched
  })
}

/** Whether a cookie would go out that only the store can confirm: other requests know its id, and may have ended the session. */
function needsProof(of: RequestState, { isShared }: SessionHandle): boolean {
  if (!isShared || isHeadOut(of.request.res)) return false
  return of.engine.behavior.rolling || of.outgoingCookies !== undefined
}

/** The row with the limits of the current cookie. */
function withLimits(row: SessionRow, { cookie }: SessionHandle): SessionRow {
  const { idleMs, absoluteMs, persistent } = cookie.limits
  return { ...row, idleMs, endsAt: row.createdAt + absoluteMs, persistent }
}
