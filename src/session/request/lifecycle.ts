// From one session to the next: reload, regenerate, destroy; and a login, which renews it.
import { type Awaitable, after } from '../../domain/awaitable.ts'
import { newToken } from '../../domain/secret.ts'
import type { SessionLimits } from '../../domain/session-lifetime.ts'
import { patchValues, serialise, valuesOfRow, writeValues } from '../data.ts'
import { type NewLogin, newRow } from '../row.ts'
import type { SessionRow, SessionStore } from '../store.ts'
import { RELOAD_FAILED } from './detached-session.ts'
import { diff, fill } from './diff.ts'
import type { Engine } from './engine.ts'
import type { RequestState } from './request-state.ts'
import { SessionHandle } from './session-handle.ts'

/** How long requests that were on their way may read a session that a bare `regenerate` replaced. */
const GRACE_MS = 10_000

export interface RenewOptions extends NewLogin {
  /** Default: those of the middleware. */
  readonly limits?: SessionLimits | undefined
  /** Whether the cookie outlives the browser. Default: false, or true where the cookie has a `maxAgeMs`. */
  readonly persistent?: boolean | undefined
  /** Keys of the old session that the new one takes over; `'all'`: as they are when it is renewed. Default: none. */
  readonly keep?: readonly string[] | 'all' | undefined
  /** Whether the session at hand must still be there, as the renewal of a login needs it; else `SessionEndedError` is thrown. Default: false. */
  readonly continues?: boolean | undefined
}

/** The session was ended, here or elsewhere, before its renewal was answered. The renewal is undone. */
export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError'

  constructor() {
    super('the session was ended before its renewal was answered')
  }
}

export async function reload(of: RequestState, handle: SessionHandle): Promise<void> {
  const { store, isLive, reserved } = of.engine
  const { storedRow, session } = handle
  const row = storedRow && (await store.find(storedRow.hash))
  if (!isLive(row)) {
    if (storedRow) of.lost(handle)
    throw new Error(RELOAD_FAILED)
  }
  handle.reread(row)
  if (session === undefined) return
  for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
  fill(session, handle.values, reserved)
}

/** A new id, a new empty session without a login, at once. Requests on their way may read the old one for a while, unless it was a login. */
export function regenerate(of: RequestState): Promise<void> {
  const { engine, request, handle: old } = of
  const handle = new SessionHandle(engine, request, { replaces: old })
  const replaced = (): void => {
    handle.isSuccessor = old.isShared
    of.clearCookie(old)
  }
  return of.act(
    () => {
      const { predecessor } = handle
      const hashes = hashesOf(of, old)
      if (predecessor === undefined) {
        return after(deleteAll(engine, hashes), (deleted) => {
          // Another request that ended the old one has decided on the cookie.
          if (old.storedRow ? deleted.includes(old.storedRow.hash) : hashes.size > 0) replaced()
        })
      }
      hashes.delete(predecessor)
      return after(engine.store.supersede(predecessor, engine.clock.now() + GRACE_MS), (superseded) =>
        after(deleteAll(engine, hashes), () => {
          if (superseded) replaced()
        }),
      )
    },
    () => of.replaceHandle(handle),
  )
}

/** Deletes the session and clears the cookie: also if there is none, and as often as asked. It is gone at once, the deletion takes its turn. */
export function destroy(of: RequestState): Promise<void> {
  const { engine, handle: old } = of
  return of.act(
    // The cookie goes only when the row is gone: no answer claims a logout that did not happen.
    () => after(deleteAll(engine, hashesOf(of, old)), () => of.clearCookie(old)),
    () => of.end(),
  )
}

/** A login: a new row under a new id, made before the old one goes, found again as the store gives it. */
export async function renew<Row extends SessionRow>(
  of: RequestState<Row>,
  { limits, persistent, keep = [], continues, ...login }: RenewOptions,
): Promise<Row> {
  const { engine, request } = of
  const limited = { limits: limits ?? engine.limits, persistent: persistent ?? engine.cookie.maxAgeMs !== undefined }
  if (request.res.headersSent) throw new TypeError('a session cannot be renewed after the head of its response was sent')
  return of.act(async () => {
    const { store, clock, keyOf, isLive } = engine
    const { handle: old } = of
    const data = keep === 'all' ? await dataAsStored(of, old) : keptData(old, keep)
    const id = newToken()
    const row = newRow({ hash: keyOf(id), data, now: clock.now(), ...limited, login })
    await store.create(row)
    try {
      // Deleting the old row tells whether it was still there: what a logout took meanwhile stays ended.
      const deleted = await deleteAll(engine, hashesOf(of, old))
      if (continues && (old.storedRow === undefined || !deleted.includes(old.storedRow.hash))) throw new SessionEndedError()
      const found = (await store.find(row.hash)) ?? (continues ? undefined : await createAgain(store, row))
      if (!isLive(found)) throw new SessionEndedError()
      const handle = new SessionHandle(engine, request, { made: { id, row: found } })
      of.replaceHandle(handle)
      const cookies = handle.cookie.issue(found)
      if (cookies !== undefined) of.sendCookies(handle, cookies)
      return found
    } catch (error) {
      const handle = new SessionHandle(engine, request, {})
      handle.fail()
      of.replaceHandle(handle)
      try {
        await store.delete([row.hash])
      } catch {
        // No cookie leads to the row, and it expires; what failed first is what counts.
      }
      throw error
    }
  })
}

/** Somebody ended every session of the user in this moment. A login that rests on none of them counts as one that came after. */
async function createAgain<Row extends SessionRow>(store: SessionStore<Row>, row: SessionRow): Promise<Row | undefined> {
  await store.create(row)
  return store.find(row.hash)
}

/** Every row that the request leads to, live or not, and the one that this session replaced. */
function hashesOf({ engine, request }: RequestState, handle: SessionHandle): Set<string> {
  const { storedRow, predecessor } = handle
  const hashes = new Set(request.cookies.ids.map(engine.keyOf))
  if (storedRow) hashes.add(storedRow.hash)
  if (predecessor !== undefined) hashes.add(predecessor)
  return hashes
}

function deleteAll({ store }: Engine, hashes: ReadonlySet<string>): Awaitable<readonly string[]> {
  return hashes.size > 0 ? store.delete([...hashes]) : []
}

/** What other requests have stored meanwhile, with the changes of this one. */
async function dataAsStored({ engine }: RequestState, { state, session, storedRow, values }: SessionHandle): Promise<string> {
  const current = state === 'ended' ? undefined : storedRow && (await engine.store.find(storedRow.hash))
  if (!current) return '{}'
  const patch = session && diff(session, values, engine.reserved)
  return writeValues(patchValues(valuesOfRow(current), patch ?? {}))
}

function keptData({ state, session, values }: SessionHandle, keys: readonly string[]): string {
  if (state === 'ended') return '{}'
  const kept = keys.map((key) => [key, session ? serialisedKey(session, key) : values.get(key)] as const)
  return writeValues(kept.flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])))
}

function serialisedKey(session: object, key: string): string | undefined {
  return Object.hasOwn(session, key) ? serialise(key, Reflect.get(session, key)) : undefined
}
