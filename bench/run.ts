// `npm run bench`: measures, prints tables, and on a quiet machine records them and fills README and docs. Asserts nothing about time.
import { parseArgs } from 'node:util'
import { watchOthers, whatIsBusy } from './busyness.ts'
import { measureCapacity } from './capacity.ts'
import { type External, openExternal } from './external.ts'
import { missingGenerator } from './generator.ts'
import { measureGrowth } from './growth.ts'
import { fillPages } from './pages.ts'
import { installPeers } from './peers.ts'
import { removeFolders } from './processes.ts'
import { profileServer } from './profile.ts'
import { measureReads } from './reads.ts'
import { performanceText, profileText } from './report.ts'
import { type Measures, type Part, type Results, readResults, recorded, writeResults } from './results.ts'
import { measureStorm } from './storm.ts'

/** In each of which all contestants have a turn. */
const CYCLES = 3

const USAGE = `npm run bench                     requests: some ten minutes
npm run bench -- --storm          the login storm
npm run bench -- --growth         a million members against a thousand
npm run bench -- --capacity       what one core carries
npm run bench -- --profile        where the time of a request goes
npm run bench -- --all            all of these, one after the other
npm run bench -- --tables         measures nothing and writes the tables of what was recorded again

--anyway        measures on a busy machine too, and records nothing
--cycles N      requests: so many cycles instead of ${CYCLES}; fewer are not recorded
--among TEXT    requests: only contestants whose name fits this pattern; not recorded`

const PROFILE_SECONDS = 8
const PROFILED = ['/api/profile', '/profile']

const flag = { type: 'boolean', default: false } as const
const options = parseArgs({
  options: {
    storm: flag,
    growth: flag,
    capacity: flag,
    profile: flag,
    all: flag,
    tables: flag,
    anyway: flag,
    help: flag,
    cycles: { type: 'string', default: String(CYCLES) },
    among: { type: 'string' },
  },
}).values
const cycles = Number(options.cycles)
const among = options.among === undefined ? undefined : new RegExp(options.among, 'i')
const isWhole = !options.anyway && among === undefined && cycles >= CYCLES

if (options.help) console.log(USAGE)
else if (!(Number.isInteger(cycles) && cycles >= 1)) refuse(`--cycles must be a whole number from 1, got ${options.cycles}`)
else if (options.tables) fillPages(readResults())
else await bench(partsToMeasure())

async function bench(parts: readonly Part[]): Promise<void> {
  const busy = await whatIsBusy()
  if (busy.length > 0) {
    console.error(`The machine is busy:\n${list(busy)}`)
    if (!options.anyway)
      return refuse('Nothing was measured. Wait until it is quiet, or measure with --anyway, which records nothing.')
  }
  const lacking = missingGenerator()
  if (lacking !== undefined) return refuse(lacking)
  installPeers()
  const external = await openExternal()
  try {
    const missing = [...external.missing.values()]
    if (missing.length > 0 && !options.anyway)
      return refuse(`Nothing was measured, as a record needs all stores; --anyway does without.\n${list(missing)}`)
    for (const part of parts) {
      const results = await measurePart(part, external, options.anyway ? busy : [])
      console.log(`\n${performanceText(results)}${profileText(results)}\n`)
      record(part, results)
    }
  } finally {
    await external.close()
    removeFolders()
  }
}

async function measurePart(part: Part, external: External, before: readonly string[]): Promise<Results> {
  console.error(`measuring ${part} ...`)
  if (part === 'reads') {
    const { result, busy } = await measureReads({ cycles, anyway: options.anyway, external, among })
    return { reads: recorded(result, [...before, ...busy]) }
  }
  const busySince = watchOthers({ storesAreOurs: true })
  const measured = await measure(part, external)
  return { [part]: recorded(measured, [...before, ...busySince()]) }
}

function measure(part: Exclude<Part, 'reads'>, external: External): Promise<Measures[Part]> {
  if (part === 'storm') return measureStorm()
  if (part === 'growth') return measureGrowth(external)
  if (part === 'capacity') return measureCapacity(external)
  return profile()
}

async function profile(): Promise<Measures['profiles']> {
  const profiles: Record<string, Measures['profiles'][string]> = {}
  for (const path of PROFILED) profiles[path] = await profileServer(path, { seconds: PROFILE_SECONDS })
  return profiles
}

/** What was recorded of the other parts stays as it is. */
function record(part: Part, results: Results): void {
  const busy = results[part]?.busy ?? []
  if (!isWhole) return console.error('Nothing was recorded.')
  if (busy.length > 0) return refuse(`Not recorded: ${part}. The machine was busy meanwhile:\n${list(busy)}`)
  const all = { ...readResults(), ...results }
  writeResults(all)
  fillPages(all)
  console.error(`Recorded: ${part}.`)
}

function refuse(why: string): void {
  console.error(why)
  process.exitCode = 1
}

function list(sentences: readonly string[]): string {
  return sentences.map((sentence) => `  * ${sentence}`).join('\n')
}

function partsToMeasure(): readonly Part[] {
  const { all, storm, growth, capacity, profile } = options
  const asked: Part[] = [
    ...(all || storm ? (['storm'] as const) : []),
    ...(all || growth ? (['growth'] as const) : []),
    ...(all || capacity ? (['capacity'] as const) : []),
    ...(all || profile ? (['profiles'] as const) : []),
  ]
  return all || asked.length === 0 ? ['reads', ...asked] : asked
}
