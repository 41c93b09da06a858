// Turns results into tables: for the terminal, docs/measurements/performance.md and the README.

import type { ReadResult } from './reads.ts'
import { bytesTable, capacityTable, growthRows, plansTable } from './report-growth.ts'
import type { Recorded, Results } from './results.ts'
import type { Spread } from './stats.ts'
import type { StormResult } from './storm.ts'
import type { Latency } from './storm-clients.ts'
import { type Cells, percent, table, verdict } from './table.ts'

const HOW = 'How it was measured, and what is missed: [docs/measurements/performance.md](docs/measurements/performance.md).'

const TO_BE_REPEATED = 'These figures were taken while the machine was busy, and will be measured again.'

/** The few lines that the README shows. */
export function readmeText({ reads, storm }: Results): string {
  const shown = reads?.measured.rows.filter(({ inReadme }) => inReadme) ?? []
  const rows = shown.map(({ name, timesBare, cpuMicros, perSecond }) => [
    name,
    timesText(timesBare),
    Math.round(cpuMicros),
    Math.round(perSecond),
  ])
  const requests = table(['one request', 'times bare Express', 'CPU µs', 'requests/s'], rows)
  const isDisturbed = reads !== undefined && reads.busy.length > 0
  const sentences = [...(isDisturbed ? [TO_BE_REPEATED] : []), ...(storm ? [stormSentence(storm.measured)] : []), HOW]
  return `${requests}\n\n${sentences.join(' ')}`
}

/** All that was measured, but for the profiles. */
export function performanceText({ reads, storm, growth, capacity }: Results): string {
  const texts = [
    ...(reads ? [runText('Requests', reads), readsText(reads.measured)] : []),
    ...(storm ? [runText('The login storm', storm), stormTable(storm.measured), goalsTable(stormRows(storm.measured))] : []),
    ...(growth ? [runText('Growth', growth), goalsTable(growthRows(growth.measured)), plansTable(growth.measured)] : []),
    ...(capacity ? [runText('One core', capacity), capacityTable(capacity.measured)] : []),
    ...(growth?.measured.bytes ? [bytesTable(growth.measured, growth.measured.bytes)] : []),
  ]
  return texts.filter((text) => text !== '').join('\n\n')
}

export function profileText({ profiles }: Results): string {
  const SHOWN = 12
  return Object.entries(profiles?.measured ?? {})
    .map(([path, { byOrigin, byFunction }]) => {
      const shares = (list: typeof byOrigin) =>
        list.slice(0, SHOWN).map(({ name, share }) => [name.startsWith('(') ? name : `\`${name}\``, percent(share)])
      const origins = table([`\`GET ${path}\`: by origin`, 'share'], shares(byOrigin))
      return `${origins}\n\n${table(['by function', 'share'], shares(byFunction))}`
    })
    .join('\n\n')
}

/** When and where it was measured, and what disturbed it. */
function runText(what: string, { date, machine, busy }: Recorded<unknown>): string {
  return `${what}: measured on ${date.slice(0, 10)}, ${machine}.${disturbedText(busy)}`
}

function disturbedText(busy: readonly string[]): string {
  return busy.length === 0 ? '' : ` **To be measured again, as the machine was busy:** ${busy.join('; ')}.`
}

function goalsTable(rows: readonly Cells[]): string {
  return table(['work', 'goal', 'reached', ''], rows)
}

function readsText({ rows, leftOut, pairs }: ReadResult): string {
  const cells = rows.map(({ name, timesBare, goal, cpuMicros, storeMicros = {}, perSecond, p99Ms }) => [
    name,
    timesText(timesBare),
    goal === undefined ? '' : `≤ ${goal} ${verdict(timesBare.median <= goal)}`,
    Math.round(cpuMicros),
    Object.entries(storeMicros)
      .map(([store, micros]) => `${store} ${Math.round(micros)}`)
      .join(', '),
    Math.round(perSecond),
    p99Ms.toFixed(1),
  ])
  const head = [
    `one request, ${pairs} pairs of rounds`,
    'times bare Express',
    'goal',
    'CPU µs',
    "the store's CPU µs",
    'requests/s',
    'p99 ms',
  ]
  return [table(head, cells), ...leftOut.map(({ name, because }) => `Left out: ${name}, as ${because}.`)].join('\n\n')
}

/** The median, and the quartiles in brackets. */
function timesText({ median, low, high }: Spread): string {
  return low === high ? median.toFixed(2) : `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
}

/** Ourselves and the others, in the same rounds. */
function stormTable(own: StormResult): string {
  const cells = ({ p50Ms, p99Ms }: Latency) => `${p50Ms.toFixed(p50Ms < 10 ? 1 : 0)} / ${p99Ms.toFixed(p99Ms < 10 ? 1 : 0)} ms`
  return table(
    ['login storm', 'other requests when idle, p50 / p99', 'in the storm', 'logins/s'],
    [...own.rivals, own].map(({ name, idle, storm, loginsPerSecond }) => [
      name,
      cells(idle),
      cells(storm),
      loginsPerSecond.toFixed(loginsPerSecond < 10 ? 1 : 0),
    ]),
  )
}

function stormSentence({ loginsPerSecond, ofRaw, storm, idle }: StormResult): string {
  return (
    `In a storm of ${loginsPerSecond.toFixed(0)} logins a second (${percent(ofRaw)} of what the processor can hash) ` +
    `the p99 of other requests is ${storm.p99Ms.toFixed(1)} ms; without the storm it is ${idle.p99Ms.toFixed(1)} ms.`
  )
}

function stormRows(own: StormResult): Cells[] {
  const { idle, storm, overload, loginsPerSecond, rawHashesPerSecond, ofRaw, ofRawNiced, p99Ratio, floodShare } = own
  return [
    [
      `logins/s in the storm (${loginsPerSecond.toFixed(0)}) against the raw hash rate (${rawHashesPerSecond.toFixed(0)})`,
      '≥ 0.95',
      `${ofRaw.toFixed(2)} (${ofRawNiced.toFixed(2)} of threads with the same priority)`,
      verdict(ofRaw >= 0.95),
    ],
    [
      `p99 of other requests in the storm (idle ${idle.p99Ms.toFixed(1)} ms)`,
      '≤ 1.2 times idle',
      `${storm.p99Ms.toFixed(1)} ms, ${p99Ratio.toFixed(2)} times`,
      verdict(p99Ratio <= 1.2),
    ],
    [
      `p50 of other requests in the storm (idle ${idle.p50Ms.toFixed(1)} ms)`,
      'at most 1 ms more',
      `${storm.p50Ms.toFixed(1)} ms`,
      verdict(own.p50MoreMs <= 1),
    ],
    [
      'logins/s under a flood of cheap requests',
      '≥ 0.25 of the storm without it',
      `${own.loginsPerSecondInFlood.toFixed(0)}, ${floodShare.toFixed(2)}`,
      verdict(floodShare >= 0.25),
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
