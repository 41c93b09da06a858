// Lets a user log in again who was locked out by wrong passwords, for operators.
import { audit, auditEvent } from '../core/audit.ts'
import type { Origin } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { proofSubjects } from '../core/proofs.ts'
import { PROOFS_PER_USER } from '../core/throttle.ts'
import type { StoredUser } from '../storage/contract.ts'

export const unlockedEvent = auditEvent('unlocked')

/** Returns whether the user was locked out. Tries in progress keep their slots, so a guesser gains one round at most. */
export async function unlock(core: Core, user: StoredUser, by: Origin): Promise<boolean> {
  const unlocked = await Promise.all(proofSubjects(user).map((subject) => core.throttle.unlock(PROOFS_PER_USER, subject)))
  const wasLocked = unlocked.includes(true)
  if (wasLocked) await audit(core, unlockedEvent, user.id, by)
  return wasLocked
}
