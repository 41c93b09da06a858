// Reads the audit trail, for operators.
import type { Core } from '../core/core.ts'
import { auditTrail, type StoredAuditEntry } from '../storage/audit.ts'

const PAGE = 500

/** Every entry since `since`, milliseconds since 1970 UTC, the oldest first; of one user if their id is given. */
export async function readTrail(
  core: Core,
  { since, userId = '' }: { readonly since: number; readonly userId?: string | undefined },
): Promise<readonly StoredAuditEntry[]> {
  const entries: StoredAuditEntry[] = []
  for (;;) {
    const { at, id } = entries.at(-1) ?? { at: since, id: '' }
    const page = await core.db.all(auditTrail, { userId, at, id, limit: PAGE })
    entries.push(...page)
    if (page.length < PAGE) return entries
  }
}
