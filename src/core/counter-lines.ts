// Changes counters atomically over all processes: those of one process who come together, together.
import { jitter } from '../database/jitter.ts'
import { onTimeout } from '../database/timeout.ts'
import { BoundedCache } from '../domain/bounded-cache.ts'
import type { Clock } from '../domain/clock.ts'
import { MembershipError } from '../domain/errors.ts'
import type { Counters } from '../storage/contract.ts'
import { type CounterState, readState, writeState } from './counter-state.ts'

/** What somebody wants of a counter: may change its state, and answers; undefined: not now, ask again when it has changed. */
export type Step<Answer> = (state: CounterState, now: number) => Answer | undefined

export interface WaitLimits {
  /** How many may wait in this process. */
  readonly maxWaiting: number
  readonly maxWaitMs: number
}

interface Entry {
  readonly step: Step<unknown>
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  /** Of those who wait. */
  stopTimer?: () => void
  /** Waited too long; is asked once more, as a place that was just taken must not be lost. */
  isLate?: boolean
}

interface Line {
  entries: Entry[]
  /** Whether somebody came who was not asked yet. */
  hasNew: boolean
  wake: () => void
}

const MAX_REMEMBERED = 2000

/** What another process gave back is noticed after so long, and up to twice that. */
const POLL_MS = 50

/** A line before each counter that is being changed. Each by itself they would wait for one row, and hold every connection while they do. */
export class CounterLines {
  readonly #counters: Counters
  readonly #clock: Clock
  readonly #limits: WaitLimits
  readonly #lines = new Map<string, Line>()
  /** What this process left in its counters: mostly it is still there, and need not be read. */
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

  /** Throws `overloaded` where too many wait, or it was too long. `first`: before those who wait, for what lets them go on. */
  run<Answer>(key: string, step: Step<Answer>, { first = false } = {}): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const entry: Entry = { step, resolve, reject }
      const line = this.#lines.get(key) ?? { entries: [], hasNew: true, wake: () => {} }
      if (first) line.entries.unshift(entry)
      else line.entries.push(entry)
      line.hasNew = true
      line.wake()
      if (this.#lines.has(key)) return
      this.#lines.set(key, line)
      void this.#serve(key, line)
    })
  }

  async #serve(key: string, line: Line): Promise<void> {
    while (line.entries.length > 0) {
      line.hasNew = false
      try {
        await this.#ask(key, line)
        if (line.entries.length > 0 && !line.hasNew) await nextChange(line)
      } catch (error) {
        // Who waits for a database that does not answer has waited as long as those before them.
        for (const entry of line.entries.splice(0)) this.#leave(entry).reject(error)
      }
    }
    this.#lines.delete(key)
  }

  /** Asks everybody in the line, in its order, until nobody else changed the counter meanwhile. */
  async #ask(key: string, line: Line): Promise<void> {
    let text = this.#lastSeen.get(key)
    let isGuess = true
    for (;;) {
      const asked = [...line.entries]
      const now = this.#clock.now()
      const state = readState(text, now)
      const answers = asked.map(({ step }) => step(state, now))
      const next = writeState(state)
      const isSame = next.text === text || (next.end === 0 && text === undefined)
      // Only a swap proves that a guess was right.
      if (isSame ? isGuess : !(await this.#counters.swap(key, text, next.text, next.end))) {
        text = await this.#counters.find(key)
        isGuess = false
        continue
      }
      if (!isSame) this.#lastSeen.set(key, next.text)
      const isDone = new Set<Entry>()
      for (const [at, entry] of asked.entries()) {
        const answer = answers[at]
        if (answer === undefined && this.#mayWait(line, entry)) continue
        isDone.add(entry)
        if (answer === undefined) this.#leave(entry).reject(new MembershipError('overloaded', { retryAfter: 1 }))
        else this.#leave(entry).resolve(answer as never)
      }
      line.entries = line.entries.filter((entry) => !isDone.has(entry))
      return
    }
  }

  #mayWait(line: Line, entry: Entry): boolean {
    if (entry.isLate) return false
    if (entry.stopTimer) return true
    if (this.isFull) return false
    this.#waiting++
    entry.stopTimer = onTimeout(this.#limits.maxWaitMs, () => {
      entry.isLate = true
      line.hasNew = true
      line.wake()
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

/** Until somebody of this process comes, or it is time to look what others did. */
async function nextChange(line: Line): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, POLL_MS * (1 + jitter()))
  line.wake = resolve
  await promise
  clearTimeout(timer)
  line.wake = () => {}
}
