// Writes the audit trail: the entry of an act in its transaction, that of a failed try alone.
import { newTimeId } from '../domain/secret.ts'
import { insertAuditEntry, ON_SECURITY_PAGE } from '../storage/audit.ts'
import { type BoundStatement, bind } from '../storage/statement.ts'
import type { Origin } from './caller.ts'
import type { Core } from './core.ts'

/** A kind of entry, declared beside the use case that writes it. Its text is `activity.<name>`. */
export interface AuditEvent<Name extends string = string> {
  readonly name: Name
  /** Not shown on the security page: harmless acts of a stolen session must not push its traces off the list. */
  readonly hidden: boolean
  /** Grouped with others of its kind on the security page, as failed logins are. Not for logins and changes of a credential. */
  readonly folds: boolean
}

export function auditEvent<const Name extends string>(name: Name, { hidden = false, folds = false } = {}): AuditEvent<Name> {
  return { name, hidden, folds }
}

/** The text of any outcome but success is `activity.<name>.<outcome>`. */
export type AuditOutcome = 'success' | 'wrong_password' | 'suspended' | 'throttled'

/** More facts about an act. */
export interface AuditData {
  /** The browser whose session was ended. */
  readonly endedUserAgent?: string | undefined
}

/** The entry of a successful act, as a statement of its transaction. */
export function auditEntry(core: Core, event: AuditEvent, userId: string, by: Origin): BoundStatement {
  return bind(insertAuditEntry, entry(core, event, userId, by, 'success', {}))
}

/** Writes an entry, without a transaction. */
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
  // An attacker decides how often to guess: failed tries are grouped, so that they never push a login off the page.
  const quiet = event.hidden
    ? ON_SECURITY_PAGE.never
    : event.folds || outcome !== 'success'
      ? ON_SECURITY_PAGE.folded
      : ON_SECURITY_PAGE.alone
  return { id: newTimeId(at), at, event: event.name, outcome, userId, ip, userAgent, data, quiet } as const
}
