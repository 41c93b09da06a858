// A store on another machine may not answer: every call has a deadline.

/** How long a call may take. Afterwards the request is answered with 503. */
export const DEADLINE_MS = 500

/** The store cannot be reached, or did not answer in time. Whether a write on its way arrived is unknown. */
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

/** When a connection that does not answer is closed: later than the call, which decides what is late. */
export const CONNECTION_DEADLINE_MS = 2 * DEADLINE_MS

/** The result of a call, or `StoreUnavailableError` after its deadline. */
export async function withTimeout<T>(what: string, call: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new StoreUnavailableError(`${what} did not answer in time`))
    // If this process was busy, the answer may lie unread in its socket: it is read before the call fails.
    cancel = onTimeout(deadlineMs, () => setImmediate(give))
  })
  try {
    return await Promise.race([call, late])
  } finally {
    cancel()
    call.catch(() => {})
  }
}

/** Returns what is left of a deadline, for work of several calls. */
export function startDeadline(deadlineMs: number = DEADLINE_MS): () => number {
  const end = activeTime() + deadlineMs
  return () => end - activeTime()
}

/** Calls back after the deadline. Returns a function that cancels it. */
export function onTimeout(deadlineMs: number, callBack: () => void): () => void {
  const one = { end: activeTime() + deadlineMs, callBack }
  waiting.add(one)
  ticking ??= setInterval(tick, TICK_MS)
  return () => void waiting.delete(one)
}

const TICK_MS = 20
/** The most time that counts between two ticks: while this process was busy, answers lay unread, which is no fault of the store. */
const MAX_COUNTED_MS = 2 * TICK_MS

const waiting = new Set<{ readonly end: number; readonly callBack: () => void }>()
let ticking: NodeJS.Timeout | undefined
let activeMs = 0
let tickedAt = performance.now()

/** The clock of deadlines, in milliseconds: time in which this process was blocked does not count. */
export function activeTime(): number {
  // No timer was running.
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
