// `guildhall audit`: prints the audit trail.
import { parseDuration } from '../domain/duration.ts'
import type { StoredAuditEntry } from '../storage/audit.ts'
import { readTrail } from '../users/read-trail.ts'
import { deviceName } from '../views/device-name.ts'
import { table } from './columns.ts'
import { english, type Json, plural, print, printJson, UsageError } from './terminal.ts'
import { withMembership } from './with-membership.ts'

export interface AuditOptions extends Json {
  readonly since?: string
  readonly user?: string
}

const DEFAULT_SINCE = '24h'

export async function readAudit({ since = DEFAULT_SINCE, user, json }: AuditOptions): Promise<void> {
  await withMembership('refuse', async ({ membership: { users }, core }) => {
    const from = momentOf(since, core.clock.now())
    const userId = user === undefined ? undefined : (await users.show(user)).user.id
    const entries = await readTrail(core, { since: from, userId })
    if (json) return printJson(entries.map(asJson))
    if (entries.length === 0) return print('Nothing happened in that time.')
    print(table([['When (UTC)', 'Event', 'Outcome', 'User', 'By', 'Address', 'Device'], ...entries.map(rowOf)]))
    print(plural(entries.length, 'entry', 'entries'))
  })
}

/** Milliseconds since 1970 UTC: a duration before now, a date, or a date and time with its zone. */
function momentOf(since: string, now: number): number {
  const ms = parseDuration(since)
  if (ms !== undefined) return now - ms
  const moment = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(since)
    ? Date.parse(since)
    : Number.NaN
  if (Number.isNaN(moment))
    throw new UsageError(`--since takes a duration like 24h or 7d, or a date like 2026-11-05 or 2026-11-05T08:00Z.`)
  return moment
}

function rowOf({ at, event, outcome, username, userId, ip, userAgent, data }: StoredAuditEntry): string[] {
  const when = new Date(at).toISOString().slice(0, 19).replace('T', ' ')
  const device = userAgent === undefined ? '-' : deviceName(userAgent, english)
  return [when, event, outcome, username ?? userId ?? '-', byOf(data) ?? '-', ip ?? '-', device]
}

function asJson({ at, userId, username, ip, userAgent, data, ...entry }: StoredAuditEntry): object {
  const more: unknown = data === undefined ? null : JSON.parse(data)
  return {
    ...entry,
    at: new Date(at),
    userId: userId ?? null,
    username: username ?? null,
    ip: ip ?? null,
    userAgent: userAgent ?? null,
    data: more,
  }
}

/** Who acted, if not the user. */
function byOf(data: string | undefined): string | undefined {
  const { by }: { by?: unknown } = Object(data === undefined ? undefined : JSON.parse(data))
  return typeof by === 'string' ? by : undefined
}
