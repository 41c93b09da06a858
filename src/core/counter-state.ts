// The state of one throttle counter, and the only functions that change it. Pure.
import { MAX_CLOCK_SKEW_MS } from '../domain/clock.ts'
import { parseDuration } from '../domain/duration.ts'

/** A number of tries in a duration: `'5 per 5m'`. */
export type Rate = `${number} per ${string}`

/** How a try ended. `refused`: by another limit, before it was made. `unjudged`: overload, a store that is away, or a bug. */
export type Outcome = 'success' | 'failure' | 'refused' | 'unjudged'

/** The most tries of certain outcomes in a window that begins with the first of them. */
export interface Budget {
  readonly rate: Rate
  /** The outcomes that it counts. */
  readonly counts: readonly Outcome[]
  /** Whether a success resets it: somebody who knows the password does not guess. */
  readonly clearedBySuccess?: true
}

/** How often something may be tried. Limits of one name share their counters, and must have the same budgets. */
export interface Limit {
  /** Names the counter: `login network`. */
  readonly name: string
  readonly budgets: readonly Budget[]
  /** Whether a success makes the subject known for a while. */
  readonly remembersSuccess?: true
  /** What happens to tries beyond it. Default: refused. `demote`: they go to the end of the hash queue, and take no slot. */
  readonly beyond?: 'demote'
}

/** A counter as it is stored, in JSON. Times are milliseconds since 1970 UTC. */
export interface CounterState {
  /** For each budget how many tries it counted, and the end of its window. */
  readonly used: Record<string, readonly [count: number, end: number]>
  /** When the slots of tries in progress expire. */
  slots: number[]
  knownUntil: number
}

/** Longer than any try takes, as its waits are bounded. Slots of a process that died are free after it. */
export const SLOT_MS = 60_000
const KNOWN_MS = 30 * 86_400_000

/** Expired budgets and slots are left out. */
export function readState(text: string | undefined, now: number): CounterState {
  const { used = {}, slots = [], knownUntil = 0 }: Partial<CounterState> = text === undefined ? {} : JSON.parse(text)
  return {
    used: Object.fromEntries(Object.entries(used).filter(([, [, end]]) => end > now)),
    slots: slots.filter((end) => isAhead(end, now, SLOT_MS)),
    knownUntil: isAhead(knownUntil, now, KNOWN_MS) ? knownUntil : 0,
  }
}

/** `end`: when everything in it has expired. */
export function writeState(state: CounterState): { readonly text: string; readonly end: number } {
  const ends = Object.values(state.used).map(([, end]) => end)
  return { text: JSON.stringify(state), end: Math.max(0, state.knownUntil, ...ends, ...state.slots) }
}

/** `slotEnd` identifies the slot; undefined: none was needed. */
export type Admission =
  | { readonly admitted: true; readonly slotEnd: number | undefined; readonly isKnown: boolean; readonly isBeyond: boolean }
  | { readonly admitted: false; readonly until: number }

/**
 * Takes a slot, which counts in every budget like a finished try, so that parallel guesses stay within the limit. Refuses only if
 * finished tries fill a budget; undefined if only the slots of others do, as they may be released.
 */
export function takeSlot(state: CounterState, limit: Limit, now: number): Admission | undefined {
  const budgets = limit.budgets.map((budget) => ({ limit: parseRate(budget.rate).limit, ...useOf(state, budget, now) }))
  const full = budgets.filter(({ count, limit: most }) => count >= most)
  const admitted = { admitted: true, isKnown: state.knownUntil > now, isBeyond: full.length > 0 } as const
  if (limit.beyond === 'demote') return { ...admitted, slotEnd: undefined }
  if (full.length > 0) return { admitted: false, until: Math.max(...full.map(({ end }) => end)) }
  if (budgets.some(({ count, limit: most }) => count + state.slots.length >= most)) return undefined
  const slotEnd = now + SLOT_MS
  state.slots.push(slotEnd)
  return { ...admitted, slotEnd }
}

/** Releases the slot, and counts the outcome of its try. */
export function releaseSlot(state: CounterState, limit: Limit, slotEnd: number | undefined, outcome: Outcome, now: number): true {
  const at = slotEnd === undefined ? -1 : state.slots.indexOf(slotEnd)
  if (at >= 0) state.slots.splice(at, 1)
  for (const budget of limit.budgets) {
    if (outcome === 'success' && budget.clearedBySuccess) delete state.used[idOf(budget)]
    if (!budget.counts.includes(outcome)) continue
    const { count, end } = useOf(state, budget, now)
    state.used[idOf(budget)] = [count + 1, end]
  }
  if (outcome === 'success' && limit.remembersSuccess) state.knownUntil = now + KNOWN_MS
  return true
}

/** Resets every budget if one is used up; returns whether one was. */
export function unlockUses(state: CounterState, limit: Limit, now: number): boolean {
  const isLocked = limit.budgets.some((budget) => useOf(state, budget, now).count >= parseRate(budget.rate).limit)
  if (isLocked) for (const id of Object.keys(state.used)) delete state.used[id]
  return isLocked
}

/** The window of an unused budget begins now. */
function useOf(state: CounterState, budget: Budget, now: number): { readonly count: number; readonly end: number } {
  const { windowMs } = parseRate(budget.rate)
  const [count, end] = state.used[idOf(budget)] ?? [0, 0]
  return isAhead(end, now, windowMs) ? { count, end } : { count: 0, end: now + windowMs }
}

/** A budget whose rate was changed counts from zero. */
function idOf({ counts, rate }: Budget): string {
  return `${counts.join('+')} ${rate}`
}

/** Whether an end is in the future, but not too far: a clock that was wrong for a minute must not lock people out for a year. */
function isAhead(end: number, now: number, longestMs: number): boolean {
  return end > now && end <= now + longestMs + MAX_CLOCK_SKEW_MS
}

/** The limit and window of a rate; throws a TypeError if the text is none. */
export function parseRate(rate: Rate): { readonly limit: number; readonly windowMs: number } {
  const match = /^([1-9]\d{0,6}) per (\S+)$/.exec(rate)
  const windowMs = parseDuration(match?.[2] ?? '')
  if (!match || windowMs === undefined) throw new TypeError(`a rate reads '5 per 10m', got '${rate}'`)
  return { limit: Number(match[1]), windowMs }
}
