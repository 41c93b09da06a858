// The audit trail: who did what, when, from where, and how it ended. Entries are added, never changed.
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
      ip: string | undefined
      userAgent: string | undefined
    },
  ) =>
    db.insertInto('audit').values({
      id: p.id,
      at: p.at,
      event: p.event,
      outcome: p.outcome,
      user_id: p.userId ?? null,
      ip: p.ip ?? null,
      user_agent: p.userAgent ?? null,
    }),
)

export const recentAuditEntries = statement('recent audit entries', (db, p: { userId: string; limit: number }) =>
  db
    .selectFrom('audit')
    .select(['at', 'event', 'outcome', 'ip', 'user_agent'])
    .where('user_id', '=', p.userId)
    // What concerns security alone: somebody with a stolen session must not push its traces off the list.
    .where('event', '!=', 'profile_changed')
    .orderBy('at', 'desc')
    .limit(p.limit),
)

export const sweepAudit = statement('sweep audit', (db, p: { before: number; limit: number }) =>
  db
    .deleteFrom('audit')
    .where('id', 'in', db.selectFrom('audit').select('id').where('at', '<', p.before).limit(p.limit))
    .returning('id'),
)
