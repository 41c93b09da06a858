// Writes the audit trail: an act and its entry in one transaction, a failed try by itself.
import { newTimeId } from '../domain/secret.ts'
import { insertAuditEntry, ON_SECURITY_PAGE } from '../storage/audit.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Origin } from './caller.ts'
import type { Core } from './core.ts'

/** What may stand in the trail. Declared beside the use case that writes it; its text is `activity.<name>`. */
export interface AuditEvent<Name extends string = string> {
  readonly name: Name
  /** Not on the security page: a stolen session must not push its traces off the list by harmless acts. */
  readonly hidden: boolean
  /** In one line with its like on the security page, as guesses are. Never a login, nor a change of a credential. */
  readonly folds: boolean
}

export function auditEvent<const Name extends string>(name: Name, { hidden = false, folds = false } = {}): AuditEvent<Name> {
  return { name, hidden, folds }
}

/** Of other outcomes than success the text is `activity.<name>.<outcome>`. */
export type AuditOutcome = 'success' | 'wrong_password' | 'suspended'

/** What more there is to know of an act. */
export interface AuditData {
  /** The browser whose session was ended. */
  readonly endedUserAgent?: string | undefined
}

/** The entry as a statement of a transaction. */
export function auditEntry(core: Core, event: AuditEvent, userId: string, by: Origin): BoundStatement {
  return bind(insertAuditEntry, entry(core, event, userId, by, 'success', {}))
}

/** Writes the entry by itself. */
export async function audit(
  core: Core,
  event: AuditEvent,
  userId: string | undefined,
  by: Origin,
  outcome: AuditOutcome = 'success',
  more: AuditData = {},
): Promise<void> {
  await core.db.write(insertAuditEntry, entry(core, event, userId, by, outcome, more))
}

function entry(core: Core, event: AuditEvent, userId: string | undefined, by: Origin, outcome: AuditOutcome, more: AuditData) {
  const { ip, userAgent, actor } = by
  const at = core.clock.now()
  const facts = { ...(actor && { by: actor.kind }), ...more }
  const data = Object.keys(facts).length === 0 ? undefined : JSON.stringify(facts)
  // Whoever guesses chooses how often: no number of guesses may take the place of a login.
  const shown = event.hidden
    ? ON_SECURITY_PAGE.never
    : event.folds || outcome !== 'success'
      ? ON_SECURITY_PAGE.folded
      : ON_SECURITY_PAGE.alone
  return { id: newTimeId(at), at, event: event.name, outcome, userId, ip, userAgent, data, quiet: shown } as const
}
