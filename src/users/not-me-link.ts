// The link of a notification by which its owner says that it was somebody else.
import type { TokenPurpose } from '../core/tokens.ts'

const DAY_MS = 86_400_000

/**
 * It outlives every change: whoever has broken in would only have to change the password once more. And it keeps no notification from being
 * sent, however many there were before.
 */
export const notMePurpose: TokenPurpose = { name: 'not-me', endsWith: 'nothing', lifeMs: 7 * DAY_MS, maxLive: 1000 }
