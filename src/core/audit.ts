// Writes the audit trail: an act and its entry in one transaction, a failed try by itself.
import { newTimeId } from '../domain/secret.ts'
import { insertAuditEntry } from '../storage/audit.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Origin } from './caller.ts'
import type { Core } from './core.ts'

/** What may stand in the trail. Declared beside the use case that writes it; its text is `activity.<name>`. */
export interface AuditEvent<Name extends string = string> {
  readonly name: Name
  /** Not on the security page: a stolen session must not push its traces off the list by harmless acts. */
  readonly quiet: boolean
}

export function auditEvent<const Name extends string>(name: Name, { quiet = false } = {}): AuditEvent<Name> {
  return { name, quiet }
}

/** Of other outcomes than success the text is `activity.<name>.<outcome>`. */
export type AuditOutcome = 'success' | 'wrong_password' | 'suspended'

/** The entry as a statement of a transaction. */
export function auditEntry(core: Core, event: AuditEvent, userId: string, by: Origin): BoundStatement {
  return bind(insertAuditEntry, entry(core, event, userId, by, 'success'))
}

/** Writes the entry by itself. */
export async function audit(
  core: Core,
  event: AuditEvent,
  userId: string | undefined,
  by: Origin,
  outcome: AuditOutcome = 'success',
): Promise<void> {
  await core.db.write(insertAuditEntry, entry(core, event, userId, by, outcome))
}

function entry(core: Core, event: AuditEvent, userId: string | undefined, { ip, userAgent }: Origin, outcome: AuditOutcome) {
  const at = core.clock.now()
  const quiet = event.quiet ? 1 : 0
  return { id: newTimeId(at), at, event: event.name, outcome, userId, ip, userAgent, quiet } as const
}
