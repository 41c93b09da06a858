// What sites of growing size ask for, worked out from what one core carries: the tables of docs/measurements/scaling.md.
import type { CapacityRow } from './capacity.ts'
import type { Cost } from './cost.ts'
import type { GrowthResult } from './growth.ts'
import type { Results } from './results.ts'
import { type Cells, table } from './table.ts'

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]

/** What members do. docs/measurements/scaling.md says it in words. */
const MEMBERS_A_DAY = 0.1
const REQUESTS_A_DAY = 50
const LOGINS_A_DAY = 2
const LOGOUTS_A_DAY = 1
/** The busiest second against the average of the day: a sixth of a day's work comes in its busiest hour. */
const PEAK = 4
/** Half of a core is kept for what nobody foresaw. */
const FULL = 0.5
/** From the login to the end of the idle timeout. */
const SESSION_SECONDS = 25 * 60
/** Of all members, those whose remembered session lies there. */
const REMEMBERED = 0.1
const AUDIT_DAYS = 365
const DAY = 86_400

interface Peak {
  readonly members: number
  /** In the busiest second. */
  readonly requests: number
  readonly logins: number
  readonly logouts: number
  readonly sessions: number
}

export function scalingText({ capacity, growth }: Results): string {
  const peaks = SIZES.map(peakOf)
  const place = (name: string) => capacity?.measured.find((row) => row.name === name)
  return [
    visitsTable(peaks),
    coresTable(peaks, { sqlite: place('SQLite'), postgres: place('PostgreSQL'), both: place('PostgreSQL and Redis') }),
    ...(growth ? [bytesTable(peaks, growth.measured, place('PostgreSQL'))] : []),
  ].join('\n\n')
}

function peakOf(members: number): Peak {
  const perSecond = (aDay: number) => (members * MEMBERS_A_DAY * aDay * PEAK) / DAY
  const logins = perSecond(LOGINS_A_DAY)
  return {
    members,
    requests: perSecond(REQUESTS_A_DAY),
    logins,
    logouts: perSecond(LOGOUTS_A_DAY),
    sessions: members * REMEMBERED + logins * SESSION_SECONDS,
  }
}

function visitsTable(peaks: readonly Peak[]): string {
  const head = ['members', 'requests in the busiest second', 'logins', 'sessions that are kept']
  return table(
    head,
    peaks.map(({ members, requests, logins, sessions }) => [
      rounded(members),
      rounded(requests),
      rounded(logins),
      rounded(sessions),
    ]),
  )
}

interface Places {
  readonly sqlite: CapacityRow | undefined
  readonly postgres: CapacityRow | undefined
  readonly both: CapacityRow | undefined
}

function coresTable(peaks: readonly Peak[], { sqlite, postgres, both }: Places): string {
  const head = [
    'members',
    'SQLite: cores of the site',
    'PostgreSQL: cores of the site',
    'of PostgreSQL',
    'with Redis: cores of the site',
    'of PostgreSQL',
    'of Redis',
  ]
  const row = (peak: Peak): Cells => [
    rounded(peak.members),
    cores(peak, sqlite, ofSite),
    cores(peak, postgres, ofSite),
    cores(peak, postgres, ({ stores }) => stores.PostgreSQL),
    cores(peak, both, ofSite),
    cores(peak, both, ({ stores }) => stores.PostgreSQL),
    cores(peak, both, ({ stores }) => stores.Redis),
  ]
  return table(head, peaks.map(row))
}

function ofSite({ cpuMicros }: Cost): number {
  return cpuMicros
}

/** Cores that are half busy in the busiest second. */
function cores(peak: Peak, place: CapacityRow | undefined, micros: (cost: Cost) => number | undefined): string {
  if (place === undefined) return 'not measured'
  const all = [
    [peak.requests, place.request],
    [peak.logins, place.login],
    [peak.logouts, place.logout],
  ] as const
  const busy = all.reduce((sum, [count, cost]) => sum + (count * (micros(cost) ?? 0)) / 1_000_000, 0)
  return rounded(busy / FULL)
}

function bytesTable(
  peaks: readonly Peak[],
  { bytes, redisBytesPerSession }: GrowthResult,
  postgres: CapacityRow | undefined,
): string {
  const entries = MEMBERS_A_DAY * (LOGINS_A_DAY + LOGOUTS_A_DAY) * AUDIT_DAYS
  const head = [
    'members',
    'accounts',
    'sessions',
    `audit trail of ${AUDIT_DAYS} days`,
    'WAL in the busiest second',
    'sessions in Redis',
  ]
  return table(
    head,
    peaks.map(({ members, sessions, logins }) => [
      rounded(members),
      size(members, bytes?.user),
      size(sessions, bytes?.session),
      size(members * entries, bytes?.auditEntry),
      size(logins, postgres?.walBytesPerLogin),
      size(sessions, redisBytesPerSession),
    ]),
  )
}

/** Two digits say all that is known. */
function rounded(value: number): string {
  return value < 0.01 ? 'under 0.01' : Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 3 })
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

function size(count: number, bytesOfEach: number | undefined): string {
  if (bytesOfEach === undefined) return 'not measured'
  const bytes = count * bytesOfEach
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1)
  return `${rounded(bytes / 1000 ** step)} ${UNITS[step]}`
}
