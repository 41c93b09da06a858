// Changes counters atomically across processes; concurrent changes of one counter are one write.
import { jitter } from '../database/jitter.ts'
import { onTimeout } from '../database/timeout.ts'
import { BoundedCache } from '../domain/bounded-cache.ts'
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import type { Counters } from '../storage/contract.ts'
import { type CounterState, readState, writeState } from './counter-state.ts'

/** Changes a counter's state and returns an answer; undefined: call it again when the counter has changed. */
export type CounterUpdate<Answer> = (state: CounterState, now: number) => Answer | undefined

export interface WaitLimits {
  /** The most updates that may wait in this process. */
  readonly maxWaiting: number
  readonly maxWaitMs: number
}

interface Entry {
  readonly update: CounterUpdate<unknown>
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  /** Set while it waits. */
  stopTimer?: () => void
  /** Waited too long; runs once more, in case a slot has just come free. */
  isLate?: boolean
}

interface Queue {
  entries: Entry[]
  /** Whether an entry was added that has not run yet. */
  hasNew: boolean
  wake: () => void
}

const MAX_REMEMBERED = 2000

/** How often other processes' changes are polled for while an update waits; jitter makes it up to twice as long. */
const POLL_MS = 50

/** One queue for each counter: separate updates would all wait for one row, each with a connection. */
export class BatchedCounters {
  readonly #counters: Counters
  readonly #clock: Clock
  readonly #limits: WaitLimits
  readonly #queues = new Map<string, Queue>()
  /** What this process wrote last: mostly it is still stored, and need not be read. */
  readonly #lastSeen = new BoundedCache<string>(MAX_REMEMBERED)
  #waiting = 0

  constructor(counters: Counters, clock: Clock, limits: WaitLimits) {
    this.#counters = counters
    this.#clock = clock
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.#waiting >= this.#limits.maxWaiting
  }

  /** Throws `overloaded` if too many wait or the wait was too long. `first`: before the others, as it frees a slot for them. */
  run<Answer>(key: string, update: CounterUpdate<Answer>, { first = false } = {}): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const entry: Entry = { update, resolve, reject }
      const queue = this.#queues.get(key) ?? { entries: [], hasNew: true, wake: () => {} }
      if (first) queue.entries.unshift(entry)
      else queue.entries.push(entry)
      queue.hasNew = true
      queue.wake()
      if (this.#queues.has(key)) return
      this.#queues.set(key, queue)
      void this.#serve(key, queue)
    })
  }

  async #serve(key: string, queue: Queue): Promise<void> {
    while (queue.entries.length > 0) {
      queue.hasNew = false
      try {
        await this.#runAll(key, queue)
        if (queue.entries.length > 0 && !queue.hasNew) await nextChange(queue)
      } catch (error) {
        // All waited for the same database call, and none is made to wait for another.
        for (const entry of queue.entries.splice(0)) this.#leave(entry).reject(error)
      }
    }
    this.#queues.delete(key)
  }

  /** Runs all updates in their order; again if another process changed the counter meanwhile. */
  async #runAll(key: string, queue: Queue): Promise<void> {
    let text = this.#lastSeen.get(key)
    let isGuess = true
    for (;;) {
      const entries = [...queue.entries]
      const now = this.#clock.now()
      const state = readState(text, now)
      const answers = entries.map(({ update }) => update(state, now))
      const next = writeState(state)
      const isSame = next.text === text || (next.end === 0 && text === undefined)
      // A remembered state is confirmed by the swap; without a swap it must be read.
      if (isSame ? isGuess : !(await this.#counters.swap(key, text, next.text, next.end))) {
        text = await this.#counters.find(key)
        isGuess = false
        continue
      }
      if (!isSame) this.#lastSeen.set(key, next.text)
      const isDone = new Set<Entry>()
      for (const [at, entry] of entries.entries()) {
        const answer = answers[at]
        if (answer === undefined && this.#mayWait(queue, entry)) continue
        isDone.add(entry)
        if (answer === undefined) this.#leave(entry).reject(new MembershipError('overloaded', { retryAfter: 1 }))
        else this.#leave(entry).resolve(answer as never)
      }
      queue.entries = queue.entries.filter((entry) => !isDone.has(entry))
      return
    }
  }

  #mayWait(queue: Queue, entry: Entry): boolean {
    if (entry.isLate) return false
    if (entry.stopTimer) return true
    if (this.isFull) return false
    this.#waiting++
    entry.stopTimer = onTimeout(this.#limits.maxWaitMs, () => {
      entry.isLate = true
      queue.hasNew = true
      queue.wake()
    })
    return true
  }

  #leave(entry: Entry): Entry {
    if (entry.stopTimer) this.#waiting--
    entry.stopTimer?.()
    delete entry.stopTimer
    return entry
  }
}

/** Resolves when this process adds an entry, or when it is time to poll. */
async function nextChange(queue: Queue): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, POLL_MS * (1 + jitter()))
  queue.wake = resolve
  await promise
  clearTimeout(timer)
  queue.wake = () => {}
}
