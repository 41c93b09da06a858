// The audit trail: who did what, when, from where. Entries are added, never changed.
import { statement } from './statement.ts'

export const insertAuditEntry = statement(
  'insert audit entry',
  (
    db,
    p: {
      id: string
      at: number
      event: string
      outcome: string
      userId: string | undefined
      actorId?: string | undefined
      ip: string | undefined
      userAgent: string | undefined
      data?: string | undefined
      quiet: 0 | 1
    },
  ) =>
    db.insertInto('guildhall_audit').values({
      id: p.id,
      at: p.at,
      event: p.event,
      outcome: p.outcome,
      user_id: p.userId ?? null,
      actor_id: p.actorId ?? null,
      ip: p.ip ?? null,
      user_agent: p.userAgent ?? null,
      data: p.data ?? null,
      quiet: p.quiet,
    }),
)

export interface StoredAuditEntry {
  readonly at: number
  readonly event: string
  readonly outcome: string
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/** The last entries of a user, without the quiet ones: somebody with a stolen session must not push its traces off the list. */
export const recentAuditEntries = statement(
  'recent audit entries',
  (db, p: { userId: string; limit: number }) =>
    db
      .selectFrom('guildhall_audit')
      .select(['at', 'event', 'outcome', 'ip', 'user_agent'])
      .where('user_id', '=', p.userId)
      .where('quiet', '=', 0)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(p.limit),
  ({ at, event, outcome, ip, user_agent }): StoredAuditEntry => ({
    at,
    event,
    outcome,
    ip: ip ?? undefined,
    userAgent: user_agent ?? undefined,
  }),
)

export const deleteOldAuditEntries = statement('delete old audit entries', (db, p: { before: number; limit: number }) =>
  db
    .deleteFrom('guildhall_audit')
    .where('id', 'in', db.selectFrom('guildhall_audit').select('id').where('at', '<', p.before).limit(p.limit))
    .returning('id'),
)
