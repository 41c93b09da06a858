// Barriers at which a request of a race waits, as its headers say: the slowest request possible.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Express, NextFunction, Request, Response } from 'express'
import { isPromise } from '../src/domain/awaitable.ts'
import type { SessionRow, SessionStore } from '../src/session/store.ts'
import { ask } from './http-request.ts'

/** A read is held after it has read, a write before it writes. */
export type Barrier = 'read' | 'handler' | 'save' | 'touch' | 'create'

/** What a request brings along, as headers: `x-trial` and `x-barrier` (names, by spaces), and `x-later`: its time, in milliseconds from now. */
export function barrierHeaders(trial: string, ...barriers: readonly Barrier[]): Readonly<Record<string, string>> {
  return { 'x-trial': trial, 'x-barrier': barriers.join(' ') }
}

interface Passage {
  readonly trial: string
  readonly ahead: Set<string>
  readonly laterMs: number
}

export class Barriers {
  readonly #passages = new AsyncLocalStorage<Passage>()
  readonly #gates = new Map<string, Gate>()
  /** The time as a request brings it. */
  readonly clock = { now: () => Date.now() + (this.here?.laterMs ?? 0) }

  get here(): Passage | undefined {
    return this.#passages.getStore()
  }

  /** Goes before everything else in an application. Its two routes are the handle of a race on this process. */
  install(app: Express): void {
    app.use((req: Request, _res: Response, next: NextFunction) => {
      const { 'x-trial': trial = '', 'x-barrier': barriers = '', 'x-later': later = '0' } = req.headers
      const ahead = new Set(String(barriers).split(' ').filter(Boolean))
      this.#passages.run({ trial: String(trial), ahead, laterMs: Number(later) }, next)
    })
    app.get('/barriers/:trial/full/:barrier/:count', async (req, res) => {
      const { trial, barrier, count } = req.params
      await this.#gate(trial).full(barrier, Number(count))
      res.status(204).end()
    })
    app.get('/barriers/:trial/open', (req, res) => {
      this.#gate(req.params.trial).open()
      res.status(204).end()
    })
  }

  /** Undefined if this request does not wait here. */
  arrive(barrier: Barrier, passage = this.here): Promise<void> | undefined {
    return passage?.ahead.delete(barrier) ? this.#gate(passage.trial).arrive(barrier) : undefined
  }

  #gate(trial: string): Gate {
    const gate = this.#gates.get(trial) ?? new Gate()
    this.#gates.set(trial, gate)
    return gate
  }
}

class Gate {
  readonly #standing = new Map<string, number>()
  readonly #opening = Promise.withResolvers<void>()
  #arrived = Promise.withResolvers<void>()

  arrive(barrier: string): Promise<void> {
    this.#standing.set(barrier, (this.#standing.get(barrier) ?? 0) + 1)
    this.#arrived.resolve()
    this.#arrived = Promise.withResolvers()
    return this.#opening.promise
  }

  async full(barrier: string, count: number): Promise<void> {
    while ((this.#standing.get(barrier) ?? 0) < count) await this.#arrived.promise
  }

  open(): void {
    this.#opening.resolve()
  }
}

/** Waits until the requests of a trial are at a barrier, so many in each process. */
export async function allAtBarrier(trial: string, barrier: Barrier, bases: readonly string[]): Promise<void> {
  const counts = Map.groupBy(bases, (base) => base)
  await Promise.all([...counts].map(([base, { length }]) => ask(`${base}/barriers/${trial}/full/${barrier}/${length}`)))
}

/** Lets the requests of a trial go. */
export async function letGo(trial: string, bases: readonly string[]): Promise<void> {
  await Promise.all([...new Set(bases)].map((base) => ask(`${base}/barriers/${trial}/open`)))
}

/** Puts the barriers into a store of ours. */
export function addBarriers<Row extends SessionRow>(store: SessionStore<Row>, barriers: Barriers): void {
  const find = store.find.bind(store)
  const create = store.create.bind(store)
  const update = store.update.bind(store)
  const touch = store.touch.bind(store)
  store.find = (hash) => {
    const { here } = barriers
    const row = find(hash)
    const held = (found: Row | undefined) => barriers.arrive('read', here)?.then(() => found) ?? found
    return isPromise(row) ? row.then(held) : held(row)
  }
  store.create = (row) => {
    const wait = barriers.arrive('create')
    return wait ? wait.then(() => create(row)) : create(row)
  }
  store.update = (hash, patch, options) => {
    const wait = barriers.arrive('save')
    return wait ? wait.then(() => update(hash, patch, options)) : update(hash, patch, options)
  }
  store.touch = (hash, seen) => {
    const wait = barriers.arrive('touch')
    return wait ? wait.then(() => touch(hash, seen)) : touch(hash, seen)
  }
}

type Callback = (error?: unknown, session?: unknown) => void

/** As much of a store of express-session as barriers are put into. */
export interface StoreWithBarriers {
  get(sid: string, done: Callback): unknown
  set(sid: string, session: unknown, done?: Callback): unknown
}

/** Puts the barriers into a store of express-session. */
export function addBarriersToExpressStore(store: StoreWithBarriers, barriers: Barriers): void {
  const get = store.get.bind(store)
  const set = store.set.bind(store)
  store.get = (sid, done) => {
    const { here } = barriers
    return get(sid, (error, session) => {
      const wait = barriers.arrive('read', here)
      if (wait) void wait.then(() => done(error, session))
      else done(error, session)
    })
  }
  store.set = (sid, session, done) => {
    const wait = barriers.arrive('save')
    return wait ? void wait.then(() => set(sid, session, done)) : set(sid, session, done)
  }
}
