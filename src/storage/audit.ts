// The audit trail in SQL. Entries are added, and later lose only their address.
import { sql } from 'kysely'
import { statement } from './statement.ts'

/** The values of the column `quiet`: whether the security page shows an entry alone, never, or folded with others like it. */
export const ON_SECURITY_PAGE = { alone: 0, never: 1, folded: 2 } as const

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
      quiet: (typeof ON_SECURITY_PAGE)[keyof typeof ON_SECURITY_PAGE]
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

/** An event, or several equal ones. */
export interface StoredActivity {
  readonly count: number
  readonly firstAt: number
  /** The id of the last entry, by which activities are sorted. */
  readonly lastId: string
  readonly lastAt: number
  readonly event: string
  readonly outcome: string
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  /** JSON. */
  readonly data: string | undefined
}

const SAME = ['event', 'outcome', 'ip', 'user_agent', 'data'] as const

/** The last entries of a user that are shown alone. */
export const recentActivity = statement(
  'recent activity',
  (db, p: { userId: string; limit: number }) =>
    db
      .selectFrom('guildhall_audit')
      .select([...SAME, sql.lit(1).as('count'), 'at as first_at', 'at as last_at', 'id as last_id'])
      .where('user_id', '=', p.userId)
      .where('quiet', '=', ON_SECURITY_PAGE.alone)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(p.limit),
  activity,
)

/** The last entries of a user that are shown folded, at most `limit`, with equal ones grouped. */
export const recentFoldedActivity = statement(
  'recent folded activity',
  (db, p: { userId: string; limit: number }) =>
    db
      .selectFrom((from) =>
        from
          .selectFrom('guildhall_audit')
          .select([...SAME, 'at', 'id'])
          .where('user_id', '=', p.userId)
          .where('quiet', '=', ON_SECURITY_PAGE.folded)
          .orderBy('at', 'desc')
          .limit(p.limit)
          .as('recent'),
      )
      .select((of) => [
        ...SAME,
        of.fn.countAll<number>().as('count'),
        of.fn.min('at').as('first_at'),
        of.fn.max('at').as('last_at'),
        of.fn.max('id').as('last_id'),
      ])
      .groupBy(SAME),
  activity,
)

interface ActivityRow {
  readonly count: unknown
  readonly first_at: unknown
  readonly last_at: unknown
  readonly last_id: unknown
  readonly event: string
  readonly outcome: string
  readonly ip: string | null
  readonly user_agent: string | null
  readonly data: string | null
}

function activity({ count, first_at, last_at, last_id, event, outcome, ip, user_agent, data }: ActivityRow): StoredActivity {
  return {
    count: Number(count),
    firstAt: Number(first_at),
    lastAt: Number(last_at),
    lastId: String(last_id),
    event,
    outcome,
    ip: ip ?? undefined,
    userAgent: user_agent ?? undefined,
    data: data ?? undefined,
  }
}

/** One entry as it was written, with the user's current name. */
export interface StoredAuditEntry {
  readonly id: string
  readonly at: number
  readonly event: string
  readonly outcome: string
  readonly userId: string | undefined
  readonly username: string | undefined
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  /** JSON. */
  readonly data: string | undefined
}

/** The entries after the given one in their order, of one user or, with `''`, of all. */
export const auditTrail = statement(
  'audit trail',
  (db, p: { userId: string; at: number; id: string; limit: number }) =>
    db
      .selectFrom('guildhall_audit as entry')
      .leftJoin('guildhall_users as subject', 'subject.id', 'entry.user_id')
      .select([
        'entry.id as id',
        'entry.at as at',
        'entry.event as event',
        'entry.outcome as outcome',
        'entry.user_id as user_id',
      ])
      .select(['subject.username as username', 'entry.ip as ip', 'entry.user_agent as user_agent', 'entry.data as data'])
      .where((of) => of.or([of('entry.at', '>', p.at), of.and([of('entry.at', '=', p.at), of('entry.id', '>', p.id)])]))
      .where((of) => of.or([of(of.val(p.userId), '=', ''), of('entry.user_id', '=', p.userId)]))
      .orderBy('entry.at')
      .orderBy('entry.id')
      .limit(p.limit),
  ({ id, at, event, outcome, user_id, username, ip, user_agent, data }): StoredAuditEntry => ({
    id,
    at,
    event,
    outcome,
    userId: user_id ?? undefined,
    username: username ?? undefined,
    ip: ip ?? undefined,
    userAgent: user_agent ?? undefined,
    data: data ?? undefined,
  }),
)

/** The earliest first; the index of migration 2 holds only those that have one. */
export const clearOldAddresses = statement('clear old addresses', (db, p: { before: number; limit: number }) =>
  db
    .updateTable('guildhall_audit')
    .set({ ip: null })
    .where('id', 'in', (of) =>
      of
        .selectFrom('guildhall_audit')
        .select('id')
        .where('at', '<', p.before)
        .where('ip', 'is not', null)
        .orderBy('at')
        .limit(p.limit),
    )
    .returning('id'),
)

export const deleteOldAuditEntries = statement('delete old audit entries', (db, p: { before: number; limit: number }) =>
  db
    .deleteFrom('guildhall_audit')
    .where('id', 'in', db.selectFrom('guildhall_audit').select('id').where('at', '<', p.before).limit(p.limit))
    .returning('id'),
)
