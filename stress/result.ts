// The types of a stress run: what must hold under a race or a crash, and what was counted.

/** `full` for the record, `ci` a hundredth of it. */
export type Size = 'full' | 'ci'

export interface StressRun {
  readonly id: string
  readonly title: string
  /** Programs that it starts; if one is not installed, it is left out. */
  readonly needs?: readonly string[]
  run(size: Size): Promise<readonly Fact[]>
}

/** One thing that was counted or timed, and what it had to be. */
export interface Fact {
  readonly what: string
  readonly expected: string
  readonly measured: number
  readonly holds: boolean
  /** A time depends on the machine: it belongs to the record, no test asserts it. */
  readonly isTime?: boolean
}

export function exactly(what: string, expected: number, measured: number): Fact {
  return { what, expected: String(expected), measured, holds: measured === expected }
}

/** How much was tried: without it the other numbers say nothing. */
export function atLeast(what: string, expected: number, measured: number): Fact {
  return { what, expected: `>= ${expected}`, measured, holds: measured >= expected }
}

export function underMs(what: string, expected: number, measured: number): Fact {
  return { what, expected: `< ${expected} ms`, measured: Math.round(measured), holds: measured < expected, isTime: true }
}

export function atMost(what: string, expected: number, measured: number): Fact {
  return { what, expected: `<= ${expected}`, measured, holds: measured <= expected }
}

/** For what is measured as a comparison, and is not ours to fix. */
export function counted(what: string, measured: number): Fact {
  return { what, expected: 'counted only', measured, holds: true }
}
