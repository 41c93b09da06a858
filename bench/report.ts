// Turns results into tables: for the terminal, docs/measurements/performance.md and the README.
import { goalsTable } from './report-goals.ts'
import { capacityText } from './report-stores.ts'
import { PARTS, type Results } from './results.ts'
import type { Latency } from './storm-clients.ts'
import type { RivalRow } from './storm-rivals.ts'
import { percent, table, verdict } from './table.ts'

/** All that was measured, but for the profiles. */
export function mainText(results: Results): string {
  const texts = [
    whereText(results),
    readsText(results),
    stormText(results),
    processesText(results),
    goalsTable(results),
    capacityText(results),
  ]
  return texts.filter((text) => text !== '').join('\n\n')
}

export function profileText({ profiles = {} }: Results): string {
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

/** The few lines that the README shows. */
export function shortTable({ reads = [], storm }: Results): string {
  const shown = reads.filter(({ onlyInDocs }) => !onlyInDocs)
  const rows = shown.map(({ name, timesBare, cpuMicros }) => [name, timesBare.toFixed(2), Math.round(cpuMicros)])
  const readme = table(['one request', 'times bare Express', 'CPU µs'], rows)
  const where = 'How it was measured, and what is missed: [docs/measurements/performance.md](docs/measurements/performance.md).'
  if (storm === undefined) return `${readme}\n\n${where}`
  const sentence =
    `In a storm of ${storm.loginsPerSecond.toFixed(0)} logins a second (${percent(storm.ofRaw)} of what the processor can hash) ` +
    `the p99 of other requests is ${storm.storm.p99Ms.toFixed(1)} ms; without the storm it is ${storm.idle.p99Ms.toFixed(1)} ms.`
  return `${readme}\n\n${sentence} ${where}`
}

function whereText(results: Results): string {
  const { date, machine, runs = {} } = results
  const { node, cores, processor, generator } = machine
  const parts = PARTS.filter((part) => results[part] !== undefined).map((part) => {
    const run = runs[part]
    if (run === undefined) return `${part} on ${date.slice(0, 10)}`
    const { before, during, most } = run.load
    return `${part} on ${run.date.slice(0, 10)} (load average ${before} before, ${during} meanwhile, ${most} at most)`
  })
  const about = 'The benchmark itself makes a load of about 2.'
  return `Node ${node.slice(1)}, ${cores} cores of ${processor}, load by ${generator}; ${parts.join('; ')}. ${about}`
}

function readsText({ reads, leftOut = [] }: Results): string {
  if (reads === undefined) return ''
  const rows = reads.map(({ name, cpuMicros, storeMicros = {}, timesBare, bestTimesBare, goal, against, perSecond, p99Ms }) => [
    name,
    Math.round(cpuMicros),
    Object.entries(storeMicros)
      .map(([store, micros]) => `${store} ${Math.round(micros)}`)
      .join(', '),
    timesBare.toFixed(2),
    bestTimesBare?.toFixed(2) ?? '',
    [
      ...(goal === undefined ? [] : [`≤ ${goal} ${verdict(timesBare <= goal)}`]),
      ...(against
        ? [`≤ ${against.most} times ${against.name}: ${against.times.toFixed(2)} ${verdict(against.times <= against.most)}`]
        : []),
    ].join('; '),
    Math.round(perSecond),
    p99Ms.toFixed(1),
  ])
  const head = [
    'one request',
    'CPU µs',
    "the store's CPU µs",
    'times bare Express',
    'in the best round',
    'goal',
    'requests/s',
    'p99 ms',
  ]
  const missing = leftOut.map(({ name, because }) => `Left out: ${name}, as ${because}.`)
  return [table(head, rows), ...missing].join('\n\n')
}

/** Ourselves and the others, in the same rounds. */
function stormText({ storm }: Results): string {
  if (storm?.rivals === undefined) return ''
  return stormTable('login storm', [...storm.rivals, { ...storm, name: '`guildhall serve`' }])
}

/** Ourselves, where several processes share their members. */
function processesText({ processes = [] }: Results): string {
  return processes.length === 0 ? '' : stormTable('`guildhall serve` in the login storm', processes)
}

function stormTable(what: string, rows: readonly RivalRow[]): string {
  const cells = ({ p50Ms, p99Ms }: Latency) => `${p50Ms.toFixed(p50Ms < 10 ? 1 : 0)} / ${p99Ms.toFixed(p99Ms < 10 ? 1 : 0)} ms`
  return table(
    [what, 'other requests when idle, p50 / p99', 'in the storm', 'logins/s'],
    rows.map(({ name, idle, storm, loginsPerSecond }) => [
      name,
      cells(idle),
      cells(storm),
      loginsPerSecond.toFixed(loginsPerSecond < 10 ? 1 : 0),
    ]),
  )
}
