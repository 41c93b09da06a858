// How busy the machine was: numbers of a busy machine are worth less, so they say so.
import { loadavg } from 'node:os'
import { median } from './stats.ts'

/** Load averages of a minute. */
export interface Busyness {
  readonly before: number
  /** Median and most while the measurement went on, which itself is in it. */
  readonly during: number
  readonly most: number
}

export function watchBusyness(): { stop(): Busyness } {
  const before = now()
  const seen: number[] = []
  const watch = setInterval(() => seen.push(now()), 10_000)
  return {
    stop() {
      clearInterval(watch)
      const all = [...seen, now()]
      return { before, during: Math.round(median(all) * 10) / 10, most: Math.max(...all) }
    },
  }
}

function now(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10
}
