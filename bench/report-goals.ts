// The goals that are no row of the reads: reached or missed.
import type { CountResult } from './counts.ts'
import type { GrowthResult } from './growth.ts'
import { storeGrowthRows } from './report-stores.ts'
import type { Results } from './results.ts'
import type { StormResult } from './storm.ts'
import { type Cells, table, verdict } from './table.ts'

export function goalsTable({ counts, storm, growth, stores }: Results): string {
  const rows = [
    ...(counts ? countRows(counts) : []),
    ...(storm ? stormRows(storm) : []),
    ...(growth ? growthRows(growth) : []),
    ...(stores ? storeGrowthRows(stores) : []),
  ]
  return rows.length === 0 ? '' : table(['work', 'goal', 'reached', ''], rows)
}

function countRows({ member, anonymous, anonymousCookies }: CountResult): Cells[] {
  const ofAnonymous = anonymous.reads + anonymous.writes + anonymousCookies
  return [
    ['writes per authenticated read', '0', member.writes.toFixed(3), verdict(member.writes === 0)],
    ['queries per authenticated request', '≤ 1', member.reads.toFixed(3), verdict(member.reads <= 1)],
    ['queries and cookies of an anonymous request', '0', ofAnonymous, verdict(ofAnonymous === 0)],
  ]
}

function stormRows(storm: StormResult): Cells[] {
  const { idle, overload } = storm
  return [
    [
      `logins/s in the storm (${storm.loginsPerSecond.toFixed(0)}) against the raw hash rate (${storm.rawHashesPerSecond.toFixed(0)})`,
      '≥ 0.95',
      `${storm.ofRaw.toFixed(2)} (${storm.ofRawNiced.toFixed(2)} of threads with the same priority)`,
      verdict(storm.ofRaw >= 0.95),
    ],
    [
      `p99 of other requests in the storm (idle ${idle.p99Ms.toFixed(1)} ms)`,
      '≤ 1.2 times idle',
      `${storm.storm.p99Ms.toFixed(1)} ms, ${storm.p99Ratio.toFixed(2)} times`,
      verdict(storm.p99Ratio <= 1.2),
    ],
    [
      `p50 of other requests in the storm (idle ${idle.p50Ms.toFixed(1)} ms)`,
      'at most 1 ms more',
      `${storm.storm.p50Ms.toFixed(1)} ms`,
      verdict(storm.p50MoreMs <= 1),
    ],
    [
      'logins/s under a flood of cheap requests',
      '≥ 0.25 of the storm without it',
      `${storm.loginsPerSecondInFlood.toFixed(0)}, ${storm.floodShare.toFixed(2)}`,
      verdict(storm.floodShare >= 0.25),
    ],
    [
      `503 with Retry-After when the queue is full (${overload.refusals} timed)`,
      '≤ 50 ms',
      `p50 ${overload.p50Ms.toFixed(0)} ms, p99 ${overload.p99Ms.toFixed(0)} ms`,
      verdict(overload.allWithRetryAfter && overload.p99Ms <= 50),
    ],
    ['memory then', 'bounded', `${overload.rssMiB.before} MiB before, at most ${overload.rssMiB.highest} MiB`, ''],
  ]
}

function growthRows({ few, many, requests, loginLookUp, sweep, start }: GrowthResult): Cells[] {
  const sizes = `${many.toLocaleString('en')} against ${few.toLocaleString('en')}`
  return [
    ...(requests
      ? [
          [
            `authenticated request, ${sizes} sessions, 1 000 visitors`,
            '≤ 1.1 times',
            requests.largeFewVisitorsRatio.toFixed(2),
            verdict(requests.largeFewVisitorsRatio <= 1.1),
          ],
          [
            'the same, 20 000 visitors, more than the copies in the process hold',
            '≤ 1.1 times',
            requests.largeManyVisitorsRatio.toFixed(2),
            verdict(requests.largeManyVisitorsRatio <= 1.1),
          ],
        ]
      : []),
    [
      `login look-up, ${sizes} users`,
      '≤ 1.1 times',
      `${loginLookUp.ratio.toFixed(2)} (${loginLookUp.smallMicros.toFixed(0)} → ${loginLookUp.largeMicros.toFixed(0)} µs of a login's tens of milliseconds)`,
      verdict(loginLookUp.ratio <= 1.1),
    ],
    [
      `sweep of ${sweep.expired.toLocaleString('en')} expired sessions out of ${many.toLocaleString('en')}, longest batch`,
      '≤ 50 ms',
      `${sweep.longestMs.toFixed(0)} ms (p50 ${sweep.p50Ms.toFixed(0)} ms)`,
      verdict(sweep.longestMs <= 50),
    ],
    [
      `start until ready, ${few.toLocaleString('en')} / ${many.toLocaleString('en')} members`,
      '≤ 500 ms',
      `${start.smallMs.toFixed(0)} / ${start.largeMs.toFixed(0)} ms`,
      verdict(Math.max(start.smallMs, start.largeMs) <= 500),
    ],
  ]
}
