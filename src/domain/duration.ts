// Durations as people write them, '15m', parsed into milliseconds where options are read.

/** A whole number and a unit: milliseconds, seconds, minutes, hours or days. `'15m'`, `'12h'`, `'30d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A duration in milliseconds, at least 1; undefined if the text is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,8})(ms|s|m|h|d)$/.exec(text)
  if (!match) return undefined
  const [, digits, unit] = match
  return Number(digits) * UNITS[unit as keyof typeof UNITS]
}
