// The rows and tables on PostgreSQL and Redis: growth, several processes, and what one core carries.
import type { Cost } from './cost.ts'
import type { Results } from './results.ts'
import { type Cells, table, verdict } from './table.ts'

type Stores = NonNullable<Results['stores']>

export function storeGrowthRows(stores: Stores): Cells[] {
  const { few, many, onPostgres, onBoth, loginLookUp, userList, sweep, start } = stores
  const sizes = `${many.toLocaleString('en')} against ${few.toLocaleString('en')}`
  return [
    ...(onPostgres ? requestRows('PostgreSQL', sizes, onPostgres) : []),
    ...(onBoth ? requestRows('PostgreSQL and Redis', sizes, onBoth) : []),
    [
      `PostgreSQL: login look-up, ${sizes} users`,
      '≤ 1.1 times',
      `${loginLookUp.ratio.toFixed(2)} (${costText(loginLookUp.small)} → ${costText(loginLookUp.large)})`,
      verdict(loginLookUp.ratio <= 1.1),
    ],
    [
      `PostgreSQL: first page of the users, p95, ${sizes} users`,
      '≤ 50 ms',
      `${userList.smallP95Ms.toFixed(1)} → ${userList.largeP95Ms.toFixed(1)} ms`,
      verdict(userList.largeP95Ms <= 50),
    ],
    [
      `PostgreSQL: sweep of ${sweep.expired.toLocaleString('en')} expired sessions out of ${many.toLocaleString('en')}, longest batch (nobody waits for it)`,
      '≤ 50 ms',
      `${sweep.longestMs.toFixed(0)} ms (p50 ${sweep.p50Ms.toFixed(0)} ms)`,
      verdict(sweep.longestMs <= 50),
    ],
    [
      `PostgreSQL: start until ready, ${few.toLocaleString('en')} / ${many.toLocaleString('en')} members`,
      '≤ 500 ms',
      `${start.smallMs.toFixed(0)} / ${start.largeMs.toFixed(0)} ms`,
      verdict(Math.max(start.smallMs, start.largeMs) <= 500),
    ],
  ]
}

/** CPU time in the process and in the stores. */
export function costText({ cpuMicros, stores }: Cost): string {
  const ofStores = Object.entries(stores).map(([store, micros]) => `${store} ${Math.round(micros)}`)
  return [`${Math.round(cpuMicros)}`, ...ofStores].join(' + ')
}

export function capacityText({ capacity, stores }: Results): string {
  if (capacity === undefined) return ''
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
  return [table(head, rows), ...(stores ? [bytesTable(stores)] : [])].join('\n\n')
}

function bytesTable({ bytes, redisBytesPerSession, many }: Stores): string {
  const rows: Cells[] = [
    ['an account with its password, PostgreSQL', Math.round(bytes.user)],
    ['a session, PostgreSQL', Math.round(bytes.session)],
    ['an entry of the audit trail, PostgreSQL', Math.round(bytes.auditEntry)],
    ...(redisBytesPerSession === undefined ? [] : [['a session, memory of Redis', Math.round(redisBytesPerSession)]]),
  ]
  return table([`bytes, indexes included, of ${many.toLocaleString('en')}`, 'each'], rows)
}

function requestRows(where: string, sizes: string, growth: NonNullable<Stores['onPostgres']>): Cells[] {
  const row = (visitors: string, cost: Cost, ratio: number): Cells => [
    `${where}: authenticated request, ${sizes} sessions, ${visitors} visitors`,
    '≤ 1.1 times',
    `${ratio.toFixed(2)} (${costText(growth.small)} → ${costText(cost)} µs)`,
    verdict(ratio <= 1.1),
  ]
  return [
    row('1 000', growth.largeFewVisitors, growth.largeFewVisitorsRatio),
    row('20 000', growth.largeManyVisitors, growth.largeManyVisitorsRatio),
  ]
}
