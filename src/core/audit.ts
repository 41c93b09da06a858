// Writes the audit trail. An act and its entry go into one unit of work; a failed try is an entry by itself.
import { newTimeId } from '../domain/secret.ts'
import { insertAuditEntry } from '../storage/audit.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Caller, Core } from './core.ts'

export type AuditEvent =
  | 'registered'
  | 'login'
  | 'logout'
  | 'session_ended'
  | 'other_sessions_ended'
  | 'recent_login'
  | 'profile_changed'
  | 'status_changed'
  | 'renamed'
export type AuditOutcome = 'success' | 'wrong_password' | 'suspended'

type Origin = Pick<Caller, 'ip' | 'userAgent'>

/** The entry as a step of a unit of work. */
export function auditEntry(
  core: Core,
  event: AuditEvent,
  outcome: AuditOutcome,
  userId: string | undefined,
  from: Origin,
): BoundStatement {
  return bind(insertAuditEntry, entry(core, event, outcome, userId, from))
}

/** Writes the entry by itself. */
export async function audit(
  core: Core,
  event: AuditEvent,
  outcome: AuditOutcome,
  userId: string | undefined,
  from: Origin,
): Promise<void> {
  await core.db.write(insertAuditEntry, entry(core, event, outcome, userId, from))
}

function entry(core: Core, event: AuditEvent, outcome: AuditOutcome, userId: string | undefined, from: Origin) {
  const at = core.clock.now()
  // What concerns no security must not push out of the person's list what does.
  const quiet = event === 'profile_changed' ? 1 : 0
  return { id: newTimeId(at), at, event, outcome, userId, ip: from.ip, userAgent: from.userAgent, quiet } as const
}
