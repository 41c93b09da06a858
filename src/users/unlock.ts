// The operator lets somebody try again whose account wrong passwords have locked.
import { audit, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { PROOFS_PER_USER } from '../core/throttle.ts'
import { canonicalUsername } from '../domain/names.ts'
import type { StoredUser } from '../storage/contract.ts'

export const unlockedEvent = auditEvent('unlocked')

/** False where nothing was locked. Tries that are being judged keep their places: whoever guesses gains no more than the one round. */
export async function unlock(core: Core, user: StoredUser, by: Origin): Promise<boolean> {
  const wasLocked = await core.throttle.unlock(PROOFS_PER_USER, canonicalUsername(user.username))
  if (wasLocked) await audit(core, unlockedEvent, user.id, by)
  return wasLocked
}
