// The marker: a Lax cookie that says that there is a Strict session cookie; it counts reloads.

/** The marker is named as the session cookie, with this behind. */
export const MARKER_SUFFIX = '-seen'

/** The value of a marker that counts nothing. */
export const MARKED = '1'

const MAX_RELOADS = 3
const WINDOW_MS = 10_000
const COUNTING = /^([1-9])\.(\d{1,15})$/

/** The value after one more reload; undefined after the third within ten seconds. */
export function countReload(markers: readonly string[], now: number): string | undefined {
  let reloads = 0
  let startedAt = now
  // Of several, as somebody else may have set one too, the one that has counted most: no loop is without an end.
  for (const marker of markers) {
    const [, count, start] = COUNTING.exec(marker) ?? []
    const age = now - Number(start)
    if (Number(count) <= reloads || !(age >= 0 && age < WINDOW_MS)) continue
    reloads = Number(count)
    startedAt = Number(start)
  }
  return reloads < MAX_RELOADS ? `${reloads + 1}.${startedAt}` : undefined
}
