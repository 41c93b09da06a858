// What one counter of the throttle holds, and the only rules by which it changes. Pure.
import { MAX_CLOCK_SKEW_MS } from '../domain/clock.ts'
import { parseDuration } from '../domain/duration.ts'

/** So many tries in so much time: `'5 per 5m'`. */
export type Rate = `${number} per ${string}`

/** How a try ended. `refused`: by another limit, so that nothing was tried. `unjudged`: too busy, a store away, a bug. */
export type Outcome = 'success' | 'failure' | 'refused' | 'unjudged'

/** How many tries of certain outcomes there may be in a time that begins with the first of them. */
export interface Budget {
  readonly rate: Rate
  /** The outcomes that use it up. */
  readonly counts: readonly Outcome[]
  /** Whether a success begins it anew: who knows the password was no guesser. */
  readonly clearedBySuccess?: true
}

/** How often something may be tried. Two with one name share their counters, and have the same budgets. */
export interface Limit {
  /** What is counted: `login network`. */
  readonly name: string
  readonly budgets: readonly Budget[]
  /** Whether a success makes the subject known for a while. */
  readonly remembersSuccess?: true
  /** What becomes of tries beyond it. Default: refused. `demote`: they go to the end of the hash queue, and no place is kept for them. */
  readonly beyond?: 'demote'
}

/** A counter as it is stored: JSON. Times are milliseconds since 1970 UTC. */
export interface CounterState {
  /** By budget: how many used it, and when its window is over. */
  readonly used: Record<string, readonly [count: number, end: number]>
  /** When the places of tries that are being judged end by themselves. */
  places: number[]
  knownUntil: number
}

/** Longer than any try takes: its waits are bounded. The places of a process that died come back by then. */
export const PLACE_MS = 60_000
const KNOWN_MS = 30 * 86_400_000

/** What is over is gone. */
export function readState(text: string | undefined, now: number): CounterState {
  const { used = {}, places = [], knownUntil = 0 }: Partial<CounterState> = text === undefined ? {} : JSON.parse(text)
  return {
    used: Object.fromEntries(Object.entries(used).filter(([, [, end]]) => end > now)),
    places: places.filter((end) => isAhead(end, now, PLACE_MS)),
    knownUntil: isAhead(knownUntil, now, KNOWN_MS) ? knownUntil : 0,
  }
}

/** `end`: when nothing of it counts any more. */
export function writeState(state: CounterState): { readonly text: string; readonly end: number } {
  const ends = Object.values(state.used).map(([, end]) => end)
  return { text: JSON.stringify(state), end: Math.max(0, state.knownUntil, ...ends, ...state.places) }
}

/** `placeEnd` names the place; undefined: none was needed. */
export type Admission =
  | { readonly admitted: true; readonly placeEnd: number | undefined; readonly isKnown: boolean; readonly isBeyond: boolean }
  | { readonly admitted: false; readonly until: number }

/**
 * Takes a place, which counts as if its try had used up every budget already: guesses that run side by side stay within the limit.
 * Refuses only for what did use it up; undefined where there is no more than places of others in the way: they may come back.
 */
export function takePlace(state: CounterState, limit: Limit, now: number): Admission | undefined {
  const budgets = limit.budgets.map((budget) => ({ limit: parseRate(budget.rate).limit, ...useOf(state, budget, now) }))
  const full = budgets.filter(({ count, limit: most }) => count >= most)
  const admitted = { admitted: true, isKnown: state.knownUntil > now, isBeyond: full.length > 0 } as const
  if (limit.beyond === 'demote') return { ...admitted, placeEnd: undefined }
  if (full.length > 0) return { admitted: false, until: Math.max(...full.map(({ end }) => end)) }
  if (budgets.some(({ count, limit: most }) => count + state.places.length >= most)) return undefined
  const placeEnd = now + PLACE_MS
  state.places.push(placeEnd)
  return { ...admitted, placeEnd }
}

/** Gives the place back, and counts what the try turned out to be. */
export function settlePlace(
  state: CounterState,
  limit: Limit,
  placeEnd: number | undefined,
  outcome: Outcome,
  now: number,
): true {
  const at = placeEnd === undefined ? -1 : state.places.indexOf(placeEnd)
  if (at >= 0) state.places.splice(at, 1)
  for (const budget of limit.budgets) {
    if (outcome === 'success' && budget.clearedBySuccess) delete state.used[idOf(budget)]
    if (!budget.counts.includes(outcome)) continue
    const { count, end } = useOf(state, budget, now)
    state.used[idOf(budget)] = [count + 1, end]
  }
  if (outcome === 'success' && limit.remembersSuccess) state.knownUntil = now + KNOWN_MS
  return true
}

/** Begins every budget anew where one is used up; says whether one was. */
export function unlockUses(state: CounterState, limit: Limit, now: number): boolean {
  const isLocked = limit.budgets.some((budget) => useOf(state, budget, now).count >= parseRate(budget.rate).limit)
  if (isLocked) for (const id of Object.keys(state.used)) delete state.used[id]
  return isLocked
}

/** A budget that nobody used yet begins now. */
function useOf(state: CounterState, budget: Budget, now: number): { readonly count: number; readonly end: number } {
  const { windowMs } = parseRate(budget.rate)
  const [count, end] = state.used[idOf(budget)] ?? [0, 0]
  return isAhead(end, now, windowMs) ? { count, end } : { count: 0, end: now + windowMs }
}

/** A budget that a setting changed is another one. */
function idOf({ counts, rate }: Budget): string {
  return `${counts.join('+')} ${rate}`
}

/** Whether an end is still to come. One that is later than any clock in its senses would have set it is none: else a clock that was wrong for a minute locks people out for a year. */
function isAhead(end: number, now: number, longestMs: number): boolean {
  return end > now && end <= now + longestMs + MAX_CLOCK_SKEW_MS
}

/** The limit and window of a rate; throws a TypeError where the text is none. */
export function parseRate(rate: Rate): { readonly limit: number; readonly windowMs: number } {
  const match = /^([1-9]\d{0,6}) per (\S+)$/.exec(rate)
  const windowMs = parseDuration(match?.[2] ?? '')
  if (!match || windowMs === undefined) throw new TypeError(`a rate reads '5 per 10m', got '${rate}'`)
  return { limit: Number(match[1]), windowMs }
}
