// The few statistics that tests judge samples by.

export function median(sample: readonly number[]): number {
  const sorted = sample.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** How far the median of a sample may lie from that of what it was taken from: one standard deviation, by its quartiles. */
export function medianError(sample: readonly number[]): number {
  const sorted = sample.toSorted((a, b) => a - b)
  const quartile = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN
  return (0.93 * (quartile(0.75) - quartile(0.25))) / Math.sqrt(sorted.length)
}

/** The two-sample Kolmogorov-Smirnov test: how likely two samples of one distribution lie as far apart as these (Numerical Recipes 14.3.3). */
export function sameDistribution(a: readonly number[], b: readonly number[]): number {
  const left = a.toSorted((x, y) => x - y)
  const right = b.toSorted((x, y) => x - y)
  let distance = 0
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    const at = Math.min(left[i]!, right[j]!)
    while (i < left.length && left[i]! <= at) i++
    while (j < right.length && right[j]! <= at) j++
    distance = Math.max(distance, Math.abs(i / left.length - j / right.length))
  }
  const size = Math.sqrt((left.length * right.length) / (left.length + right.length))
  const lambda = (size + 0.12 + 0.11 / size) * distance
  if (lambda < 0.3) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) sum += 2 * (-1) ** (k - 1) * Math.exp(-2 * k ** 2 * lambda ** 2)
  return Math.min(1, Math.max(0, sum))
}

/** Whether two samples of times in milliseconds tell what they are of: their medians lie apart, or their distributions do. */
export function areDistinguishable(a: readonly number[], b: readonly number[]): boolean {
  const [left, right] = [median(a), median(b)]
  // On a busy machine a median is less precise, so the bound is wider.
  const noise = 4 * Math.hypot(medianError(a), medianError(b))
  const isClose = Math.abs(left - right) < Math.max(1, 0.02 * Math.max(left, right), noise)
  return !isClose || sameDistribution(a, b) <= 0.01
}

/** How many standard deviations a chi-square lies above what chance gives (Wilson and Hilferty 1931). */
export function surplus(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const freedom = counts.length - 1
  const spread = 2 / (9 * freedom)
  return (Math.cbrt(chiSquare / freedom) - (1 - spread)) / Math.sqrt(spread)
}
