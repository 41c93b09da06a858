// A store on another machine may not answer: every call has a deadline.

/** How long a call may take. The request that waits is answered with 503 afterwards, not left hanging. */
export const DEADLINE_MS = 500

/** The store cannot be reached, or did not answer in time. Nobody knows whether a write that was on its way arrived. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
  readonly status = 503
  readonly code = 'store_unavailable'
  readonly expose = false
  /** Seconds. */
  readonly retryAfter = 1

  constructor(what: string, cause?: unknown) {
    super(what, { cause })
  }
}

/** When a connection that does not answer is given up: later than the call, which is the judge of what is late. */
export const CONNECTION_DEADLINE_MS = 2 * DEADLINE_MS

/** The outcome of a call, or `StoreUnavailableError` when its time is over. */
export async function withTimeout<T>(what: string, call: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new StoreUnavailableError(`${what} did not answer in time`))
    // Where this process itself was held up, the answer may lie in its socket: it is read before anybody is turned away.
    cancel = onTimeout(deadlineMs, () => setImmediate(give))
  })
  try {
    return await Promise.race([call, late])
  } finally {
    cancel()
    call.catch(() => {})
  }
}

/** Says how much of a deadline is left, for work of several calls. */
export function startDeadline(deadlineMs: number = DEADLINE_MS): () => number {
  const end = activeTime() + deadlineMs
  return () => end - activeTime()
}

/** Calls back when the time is over. Gives a function that takes that back. */
export function onTimeout(deadlineMs: number, callBack: () => void): () => void {
  const one = { end: activeTime() + deadlineMs, callBack }
  waiting.add(one)
  ticking ??= setInterval(tick, TICK_MS)
  return () => void waiting.delete(one)
}

const TICK_MS = 20
/** Of the time between two ticks only so much counts: while this process was busy, answers lay unread, which is no fault of a store. */
const MAX_COUNTED_MS = 2 * TICK_MS

const waiting = new Set<{ readonly end: number; readonly callBack: () => void }>()
let ticking: NodeJS.Timeout | undefined
let activeMs = 0
let tickedAt = performance.now()

/** The clock of deadlines, in milliseconds. */
export function activeTime(): number {
  // Nobody waited, so nothing was counted.
  if (ticking === undefined) tickedAt = performance.now()
  return activeMs + Math.min(performance.now() - tickedAt, MAX_COUNTED_MS)
}

function tick(): void {
  activeMs = activeTime()
  tickedAt = performance.now()
  for (const one of waiting) {
    if (one.end > activeMs) continue
    waiting.delete(one)
    one.callBack()
  }
  if (waiting.size > 0) return
  clearInterval(ticking)
  ticking = undefined
}
