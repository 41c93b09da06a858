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

/** The outcome of a call, or `StoreUnavailable` when its time is over. */
export async function within<T>(what: string, call: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(`${what} did not answer in time`)), Math.max(0, deadlineMs))
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
