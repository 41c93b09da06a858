// A store on another machine may not answer: every call has a deadline, and what fails is told in one way.

/** How long a call may take. The request that waits is answered with 503 afterwards, not left hanging. */
export const DEADLINE_MS = 500

/** The store cannot be reached, or did not answer in time. Nobody knows whether a write that was on its way arrived. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
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

/** The outcome of a call, or `StoreUnavailable` when its time is over. */
export async function within<T>(what: string, call: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new StoreUnavailable(`${what} did not answer in time`))
    // Where this process itself was held up, the answer may lie in its socket: it is read before anybody is turned away.
    timer = setTimeout(() => setImmediate(give), deadlineMs)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
    call.catch(() => {})
  }
}

/** Says how much of a deadline is left, for work of several calls. */
export function countdown(deadlineMs: number = DEADLINE_MS): () => number {
  const end = performance.now() + deadlineMs
  return () => end - performance.now()
}
