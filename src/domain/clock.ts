// Where the time comes from. Tests pass a clock of their own and move it; nobody sleeps.

export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** How far the clocks of processes that share a database may lie apart. A time that is ahead by more was written by a clock that was wrong. */
export const MAX_CLOCK_SKEW_MS = 300_000
