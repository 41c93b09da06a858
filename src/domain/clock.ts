// The source of time. Tests pass a clock of their own and move it, so that no test sleeps.

export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** How far apart the clocks of processes with one database may be. A time that is further ahead was written by a wrong clock. */
export const MAX_CLOCK_SKEW_MS = 300_000
