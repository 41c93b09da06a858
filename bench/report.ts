// Turns results into tables: for the terminal, docs/performance.md and the README.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { CountResult } from './counts.ts'
import type { GrowthResult } from './growth.ts'
import type { ProfileResult } from './profile.ts'
import type { ReadRow } from './reads.ts'
import type { StormResult } from './storm.ts'

export interface Results {
  readonly date: string
  readonly machine: { readonly node: string; readonly processor: string; readonly cores: number; readonly generator: string }
  readonly quick: boolean
  readonly reads: readonly ReadRow[]
  readonly counts: CountResult
  readonly storm: StormResult
  readonly growth?: GrowthResult
  readonly profiles: Readonly<Record<string, ProfileResult>>
}

type Cells = readonly (string | number)[]

export function readsTable(rows: readonly ReadRow[]): string {
  return table(
    ['one request', 'CPU µs', 'times bare Express', 'goal', 'requests/s', 'p99 ms'],
    rows.map(({ name, cpuMicros, timesBare, goal, perSecond, p99Ms }) => [
      name,
      Math.round(cpuMicros),
      timesBare.toFixed(2),
      goal === undefined ? '' : `≤ ${goal} ${verdict(timesBare <= goal)}`,
      Math.round(perSecond),
      p99Ms.toFixed(1),
    ]),
  )
}

export function otherGoalsTable({ counts, storm, growth }: Results): string {
  const { idle, overload } = storm
  const rows: Cells[] = [
    ['writes per authenticated read', '0', counts.member.writes.toFixed(3), verdict(counts.member.writes === 0)],
    ['queries per authenticated request', '≤ 1', counts.member.reads.toFixed(3), verdict(counts.member.reads <= 1)],
    [
      'queries and cookies of an anonymous request',
      '0',
      String(counts.anonymous.reads + counts.anonymous.writes + counts.anonymousCookies),
      verdict(counts.anonymous.reads + counts.anonymous.writes + counts.anonymousCookies === 0),
    ],
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
  return table(['work', 'goal', 'reached', ''], growth ? [...rows, ...growthRows(growth)] : rows)
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

export function profileText(profiles: Results['profiles']): string {
  return Object.entries(profiles)
    .map(([path, { byOrigin, byFunction }]) => {
      const shares = (list: typeof byOrigin, most: number) =>
        list.slice(0, most).map(({ name, share }) => [name.startsWith('(') ? name : `\`${name}\``, percent(share)])
      const origins = table([`\`GET ${path}\`: by origin`, 'share'], shares(byOrigin, 12))
      const functions = table(['by function', 'share'], shares(byFunction, 12))
      return `${origins}\n\n${functions}`
    })
    .join('\n\n')
}

/** Puts a text between `<!-- NAME -->` and `<!-- /NAME -->` of a file, and touches nothing else. */
export function fillBlock(file: string, name: string, text: string): void {
  if (!existsSync(file)) return
  const whole = readFileSync(file, 'utf8')
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = whole.indexOf(open)
  const to = whole.indexOf(close)
  if (from === -1 || to < from) return
  writeFileSync(file, `${whole.slice(0, from + open.length)}\n${text}\n${whole.slice(to)}`)
}

/** The few lines that the README shows. */
export function shortTable({ reads, storm }: Results): string {
  const rows = reads.map(({ name, timesBare, cpuMicros }) => [name, timesBare.toFixed(2), Math.round(cpuMicros)])
  const sentence =
    `In a storm of ${storm.loginsPerSecond.toFixed(0)} logins a second (${percent(storm.ofRaw)} of what the processor can hash) ` +
    `the p99 of other requests is ${storm.storm.p99Ms.toFixed(1)} ms; without the storm it is ${storm.idle.p99Ms.toFixed(1)} ms. ` +
    'How it was measured, and what is missed: [docs/performance.md](docs/performance.md).'
  return `${table(['one request', 'times bare Express', 'CPU µs'], rows)}\n\n${sentence}`
}

export function table(head: readonly string[], rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

function verdict(reached: boolean): string {
  return reached ? '✓' : 'missed'
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}
