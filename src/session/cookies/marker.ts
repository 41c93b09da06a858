// The marker: a Lax cookie that says that there is a Strict session cookie; it counts reloads.

/** The marker has the name of the session cookie with this suffix. */
export const MARKER_SUFFIX = '-seen'

/** The value of a marker before any reload. */
export const MARKED = '1'

const MAX_RELOADS = 3
const WINDOW_MS = 10_000
const COUNTING = /^([1-9])\.(\d{1,15})$/

/** The value after one more reload; undefined after the third in ten seconds. */
export function countReload(markers: readonly string[], now: number): string | undefined {
  let reloads = 0
  let startedAt = now
  // Third parties may have set markers too: the highest count wins, so that every loop ends.
  for (const marker of markers) {
    const [, count, start] = COUNTING.exec(marker) ?? []
    const age = now - Number(start)
    if (Number(count) <= reloads || !(age >= 0 && age < WINDOW_MS)) continue
    reloads = Number(count)
    startedAt = Number(start)
  }
  return reloads < MAX_RELOADS ? `${reloads + 1}.${startedAt}` : undefined
}
