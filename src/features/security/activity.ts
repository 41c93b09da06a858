// The recent activity of a user: failed logins fold into one line, so that they hide no login.
import { requireSession } from '../../core/live-session.ts'
import { networkOf } from '../../domain/address.ts'
import type { PageContext } from '../../http/http-context.ts'
import { activityText } from '../../i18n/messages.ts'
import type { Translate } from '../../i18n/translate.ts'
import { recentActivity, recentFoldedActivity, type StoredActivity } from '../../storage/audit.ts'
import { deviceName } from '../../views/device-name.ts'

/** The most entries that are shown alone: logins and changes. */
const MAX_ALONE = 20
/** The most folded lines, and the most entries that they are made from. */
const MAX_FOLDED = 10
const MAX_FOLDED_ENTRIES = 2000

interface ActivityLine extends Pick<StoredActivity, 'count' | 'firstAt' | 'lastAt' | 'lastId' | 'ip'> {
  readonly text: string
  /** Undefined if an operator acted. */
  readonly device: string | undefined
}

/** The latest first. */
export async function activityOf({ core, caller, t }: PageContext): Promise<readonly ActivityLine[]> {
  const { user } = requireSession(caller)
  const alone = await core.db.all(recentActivity, { userId: user.id, limit: MAX_ALONE })
  const folding = await core.db.all(recentFoldedActivity, { userId: user.id, limit: MAX_FOLDED_ENTRIES })
  const folded = foldLines(folding.map((entry) => toLine(entry, t)))
  return byTime([...alone.map((entry) => toLine(entry, t)), ...folded.slice(0, MAX_FOLDED)])
}

/** Folds entries of one device in one network: a browser's version and the address within a home change by themselves. */
function foldLines(lines: readonly ActivityLine[]): readonly ActivityLine[] {
  const folded = new Map<string, ActivityLine>()
  for (const line of byTime(lines)) {
    const key = JSON.stringify([line.text, line.device, networkOf(line.ip)])
    const later = folded.get(key) ?? { ...line, count: 0 }
    folded.set(key, { ...later, count: later.count + line.count, firstAt: Math.min(later.firstAt, line.firstAt) })
  }
  return [...folded.values()]
}

function byTime(lines: readonly ActivityLine[]): readonly ActivityLine[] {
  return lines.toSorted((a, b) => (a.lastId < b.lastId ? 1 : -1))
}

function toLine({ event, outcome, userAgent, data, ...entry }: StoredActivity, t: Translate<string>): ActivityLine {
  const { by, endedUserAgent }: { by?: unknown; endedUserAgent?: unknown } = Object(
    data === undefined ? undefined : JSON.parse(data),
  )
  const on = typeof endedUserAgent === 'string' ? deviceName(endedUserAgent, t) : undefined
  const device = by === 'operator' ? undefined : deviceName(userAgent, t)
  return { ...entry, device, text: activityText(t, { event, outcome, on }) }
}
