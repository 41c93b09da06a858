// Rows and tables on growth, and on what one core carries.
import type { CapacityRow } from './capacity.ts'
import type { Cost } from './cost.ts'
import type { Bytes } from './fill-postgres.ts'
import type { GrowthPlace, GrowthResult } from './growth.ts'
import { type Cells, table, verdict } from './table.ts'

export function growthRows({ few, many, places }: GrowthResult): Cells[] {
  return places.flatMap((place) => rowsOf(place, counted(few), counted(many)))
}

function rowsOf({ name, requests, loginLookUp, userList, sweep, start }: GrowthPlace, few: string, many: string): Cells[] {
  const sizes = `${many} against ${few}`
  const requestRow = (visitors: string, cost: Cost, ratio: number) =>
    ratioRow(`authenticated request, ${sizes} sessions, ${visitors} visitors`, ratio, requests.small, cost)
  const rows: Cells[] = [
    requestRow('1,000', requests.largeFewVisitors, requests.largeFewVisitorsRatio),
    requestRow('20,000', requests.largeManyVisitors, requests.largeManyVisitorsRatio),
  ]
  if (loginLookUp) rows.push(ratioRow(`login look-up, ${sizes} users`, loginLookUp.ratio, loginLookUp.small, loginLookUp.large))
  if (userList)
    rows.push([
      `first page of the users, p95, ${sizes} users`,
      '≤ 50 ms',
      `${userList.smallP95Ms.toFixed(1)} → ${userList.largeP95Ms.toFixed(1)} ms`,
      verdict(userList.largeP95Ms <= 50),
    ])
  if (sweep)
    rows.push([
      `sweep of ${counted(sweep.expired)} expired sessions out of ${many}, longest batch`,
      '≤ 50 ms',
      `${sweep.longestMs.toFixed(0)} ms (p50 ${sweep.p50Ms.toFixed(0)} ms)`,
      verdict(sweep.longestMs <= 50),
    ])
  if (start)
    rows.push([
      `start until ready, ${few} / ${many} members`,
      '≤ 500 ms',
      `${start.smallMs.toFixed(0)} / ${start.largeMs.toFixed(0)} ms`,
      verdict(Math.max(start.smallMs, start.largeMs) <= 500),
    ])
  return rows.map(([work = '', ...rest]) => [`${name}: ${work}`, ...rest])
}

function ratioRow(work: string, ratio: number, small: Cost, large: Cost): Cells {
  return [work, '≤ 1.1 times', `${ratio.toFixed(2)} (${costText(small)} → ${costText(large)} µs)`, verdict(ratio <= 1.1)]
}

/** How each database finds what is asked for among the many. */
export function plansTable({ places, many }: GrowthResult): string {
  const rows = places.flatMap(({ name, plans = [] }) =>
    plans.map(({ of, steps }): Cells => [`${name}: ${of}`, steps.map((step) => `\`${step}\``).join('<br>')]),
  )
  return rows.length === 0 ? '' : table([`how it is found, among ${counted(many)}`, 'query plan'], rows)
}

export function capacityTable(capacity: readonly CapacityRow[]): string {
  const head = [
    'one core, `guildhall serve`',
    '`GET /api/profile`: CPU µs',
    "requests/s of the site's core",
    'login: CPU µs',
    "logins/s of the site's core",
    'logout: CPU µs',
    'WAL bytes per login',
  ]
  const rows = capacity.map(({ name, request, login, logout, walBytesPerLogin }) => [
    name,
    costText(request),
    Math.round(1_000_000 / request.cpuMicros),
    costText(login),
    Math.round(1_000_000 / login.cpuMicros),
    costText(logout),
    walBytesPerLogin === undefined ? '' : Math.round(walBytesPerLogin),
  ])
  return table(head, rows)
}

export function bytesTable({ redisBytesPerSession, many }: GrowthResult, bytes: Bytes): string {
  const rows: Cells[] = [
    ['an account with its password, PostgreSQL', Math.round(bytes.user)],
    ['a session, PostgreSQL', Math.round(bytes.session)],
    ['an entry of the audit trail, PostgreSQL', Math.round(bytes.auditEntry)],
    ...(redisBytesPerSession === undefined ? [] : [['a session, memory of Redis', Math.round(redisBytesPerSession)]]),
  ]
  return table([`bytes, indexes included, of ${counted(many)}`, 'each'], rows)
}

/** CPU time in the process and in the stores: `121 + PostgreSQL 44`. */
function costText({ cpuMicros, stores }: Cost): string {
  return [`${Math.round(cpuMicros)}`, ...Object.entries(stores).map(([store, micros]) => `${store} ${Math.round(micros)}`)].join(
    ' + ',
  )
}

function counted(rows: number): string {
  return rows.toLocaleString('en')
}
