// What an application can ask of the session of one request: save, reload, update, regenerate, destroy; and a login.

import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { newToken } from '../../domain/secret.ts'
import { expiryAfter, type SessionLimits } from '../../domain/session-lifetime.ts'
import { PREDECESSOR_KEY, textOf, textsOfRow, writeTexts } from '../data.ts'
import { isSuperseded, type NewLogin, newRow } from '../row.ts'
import type { SessionRow } from '../store.ts'
import { fill } from './session.ts'
import { SessionEndedError } from './session-ended.ts'
import type { SessionOperations } from './session-operations.ts'
import { gone, UpdatingSession } from './update.ts'

/** How long requests that were on their way may read a session that a bare `regenerate` replaced. */
const GRACE_MS = 10_000

export interface Renewal {
  readonly login: NewLogin
  readonly limits: SessionLimits
  readonly persistent: boolean
  readonly keep: readonly string[]
  /** Whether the session at hand must still be there: the renewal of a login, not a new one. */
  readonly continues: boolean
}

export class Visit<Row extends SessionRow = SessionRow> extends UpdatingSession<Row> implements SessionOperations<Row> {
  save(session: object): Promise<void> {
    return this.#act(() => (session === this.current ? this.saveNow() : undefined))
  }

  reload(session: object): Promise<void> {
    return this.#act(async () => {
      if (session !== this.current) return
      const row = this.stored && (await this.engine.store.find(this.stored.hash))
      if (!this.engine.isLive(row)) throw new Error('req.session.reload: this session is no longer there')
      this.row = row
      this.stored = row
      for (const key of Object.keys(session)) Reflect.deleteProperty(session, key)
      this.texts = textsOfRow(row)
      fill(session, this.texts, this.engine.reserved)
    })
  }

  touch(session: object): Promise<void> {
    return this.#act(() => {
      const row = this.stored
      if (row === undefined || isSuperseded(row) || session !== this.current) return
      const now = this.engine.clock.now()
      return after(this.engine.store.touch(row.hash, { lastSeenAt: now, expiresAt: expiryAfter(now, row) }), () => {})
    })
  }

  async update<T>(session: object, change: (data: object) => Awaitable<T>): Promise<T> {
    const result: T[] = []
    await this.#act(() => {
      const changed = session === this.current ? this.change(change) : Promise.reject(gone())
      return after(changed, (value) => void result.push(value))
    })
    return result[0] as T // Filled where #act did not throw.
  }

  /** A new id, a new empty session without a login. Requests on their way may read the old one for a while, unless it was a login. */
  regenerate(): Promise<void> {
    return this.#act(() => {
      const { store, clock } = this.engine
      const row = this.stored
      const replaced = row !== undefined && row.userId === undefined ? row.hash : undefined
      const hashes = this.#leave()
      this.over = undefined
      this.predecessor = replaced
      this.open()
      if (replaced === undefined) return after(this.#delete(hashes), () => this.clearCookie({ where: hashes.size > 0 }))
      hashes.delete(replaced)
      return after(store.supersede(replaced, clock.now() + GRACE_MS), (retired) =>
        // Where another request was faster, its cookie stands.
        after(this.#delete(hashes), () => this.clearCookie({ where: retired })),
      )
    })
  }

  /** A new session with a new id, beside what is stored of the old one. */
  begin(): void {
    this.#leave()
    this.over = undefined
    this.open()
  }

  /** Deletes the session and clears the cookie: also where there is none, and as often as asked. */
  destroy(): Promise<void> {
    return this.#act(() => {
      const old = this.#leave()
      this.over = 'ended'
      // The cookie goes only when the row is gone: no answer claims a logout that did not happen.
      return after(this.#delete(old), () => this.clearCookie({ where: true }))
    })
  }

  /** `req.session = null`: nobody can catch its failure, so the response fails with it, whenever it comes. */
  abandon(): void {
    if (this.engine.behavior.unset === 'keep') {
      this.over = 'kept'
      return
    }
    this.destroy().catch((error: unknown) => {
      this.abandoned = { error }
    })
  }

  /** A login: a new row under a new id, made before the old one goes, found again as the store gives it. */
  async renew({ login, limits, persistent, keep, continues }: Renewal): Promise<Row> {
    if (this.res.headersSent) throw new TypeError('a session cannot be renewed after the head of its response was sent')
    let renewed: Row | undefined
    await this.#act(async () => {
      const { store, clock } = this.engine
      const id = newToken()
      const hash = this.engine.keyOf(id)
      const row = newRow({ hash, data: this.#kept(keep), now: clock.now(), limits, persistent, login })
      const old = this.stored?.hash
      await store.create(row)
      const giveUp = async (error: unknown): Promise<never> => {
        this.over = 'failed'
        await store.delete(row.hash)
        throw error
      }
      try {
        // Deleting the old row tells whether it was still there: what a logout took meanwhile stays ended.
        const gone = await this.#delete(this.#leave())
        if (continues && (old === undefined || !gone.has(old))) throw new SessionEndedError()
      } catch (error) {
        await giveUp(error)
      }
      renewed = await store.find(row.hash)
      if (!this.engine.isLive(renewed)) return giveUp(new SessionEndedError())
      this.over = undefined
      this.currentId = id
      this.row = renewed
      this.stored = renewed
      this.sendCookie(renewed)
    })
    if (renewed === undefined) throw new Error('the session was not renewed')
    return renewed
  }

  protected override source(): SessionOperations<Row> {
    return this
  }

  /** Lets go of the session as it was, and says what is to be deleted. */
  #leave(): Set<string> {
    const hashes = new Set(this.engine.hashesOf(this.req))
    if (this.stored) hashes.add(this.stored.hash)
    const predecessor = this.predecessor ?? this.textsNow().get(PREDECESSOR_KEY)
    if (predecessor !== undefined) hashes.add(predecessor)
    this.forgetCookie()
    this.predecessor = undefined
    this.currentId = undefined
    this.row = undefined
    this.stored = undefined
    this.current = undefined
    this.texts = undefined
    return hashes
  }

  /** Deletes rows; says which of them were there. */
  #delete(hashes: Iterable<string>): Awaitable<ReadonlySet<string>> {
    const gone = new Set<string>()
    const waiting: Promise<void>[] = []
    for (const hash of hashes) {
      const note = (deleted: boolean): void => {
        if (deleted) gone.add(hash)
      }
      const deleted = this.engine.store.delete(hash)
      if (isPromise(deleted)) waiting.push(deleted.then(note))
      else note(deleted)
    }
    return waiting.length > 0 ? Promise.all(waiting).then(() => gone) : gone
  }

  #kept(keys: readonly string[]): string {
    const session = this.current
    const texts = this.textsNow()
    const kept = keys.map((key) => [key, session ? textOfKey(session, key) : texts.get(key)] as const)
    return writeTexts(kept.flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])))
  }

  /** What the application asked for. The response waits for it, and fails with it unless somebody caught the failure before. */
  #act(work: () => Awaitable<void>): Promise<void> {
    // It would wait for the change, and the change for it.
    if (this.isChanging)
      return Promise.reject(new TypeError('req.session.update: its function must change the data, and nothing else'))
    this.hold()
    return this.turns.promise(work)
  }
}

function textOfKey(session: object, key: string): string | undefined {
  return Object.hasOwn(session, key) ? textOf(key, Reflect.get(session, key)) : undefined
}
