// Spreads repeated work in time, so that processes which started together do not act in step.

const GOLDEN_RATIO = 0.618_033_988_749_895

let position = (process.pid * GOLDEN_RATIO) % 1

/** The next number of an even distribution over 0 to 1. Not random: no secret may depend on it. */
export function jitter(): number {
  position = (position + GOLDEN_RATIO) % 1
  return position
}
