// Spreads repeated work in time, so that processes which started together do not act in step.

const GOLDEN_RATIO = 0.618_033_988_749_895

let position = (process.pid * GOLDEN_RATIO) % 1

/** The next number of an even spread over 0 to 1. It is not random: nothing secret may hang on it. */
export function jitter(): number {
  position = (position + GOLDEN_RATIO) % 1
  return position
}
