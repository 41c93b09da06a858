// Where the time comes from. Tests pass a clock of their own and move it; nobody sleeps.

export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
