// `npm run bench`: measures, prints tables, writes results.json and fills the tables of the docs. Asserts nothing about time.
// `--quick` measures for two or three minutes and keeps nothing; `--only PART` measures one of reads, storm, processes, growth, stores, capacity and keeps the others as they are;
// `--among PATTERN` reads with those contestants alone and keeps nothing; `--tables` measures nothing and writes the tables of the last results again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { resolve } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { watchBusyness } from './busyness.ts'
import { measureCapacity } from './capacity.ts'
import { countStatements } from './counts.ts'
import { type External, openExternal } from './external.ts'
import { generatorName } from './generator.ts'
import { measureGrowth } from './growth.ts'
import { measureStoreGrowth } from './growth-stores.ts'
import { installPeers } from './peers.ts'
import { removeFolders } from './processes.ts'
import { type ProfileResult, profileServer } from './profile.ts'
import { measureReads } from './reads.ts'
import { mainText, profileText, shortTable } from './report.ts'
import { PARTS, type Part, type Results } from './results.ts'
import { scalingText } from './scaling.ts'
import { measureStorm } from './storm.ts'
import { measureSharedStorm } from './storm-shared.ts'
import { fillBlock } from './table.ts'

const HERE = import.meta.dirname
const ROOT = resolve(HERE, '..')
const RECORD = resolve(HERE, 'results.json')

const { quick, only, among, tables } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    among: { type: 'string' },
    tables: { type: 'boolean', default: false },
  },
}).values

const machine: Results['machine'] = {
  node: process.version,
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  generator: generatorName,
}

if (tables) fillTables(lastResults())
else await bench(partsToMeasure())

async function bench(parts: readonly Part[]): Promise<void> {
  const keepsNothing = quick || among !== undefined
  const kept = keepsNothing || parts.length === PARTS.length ? undefined : partsOfThisMachine()
  installPeers()
  let results: Results = kept ?? { date: new Date().toISOString(), machine }
  try {
    for (const part of parts) {
      const watch = watchBusyness()
      const measured = await measure(part)
      const run = { date: new Date().toISOString(), load: watch.stop() }
      results = { ...results, ...measured, runs: { ...results.runs, [part]: run } }
    }
  } finally {
    removeFolders()
  }
  console.log(`\n${mainText(results)}\n\n${profileText(results)}`)
  // A quick look is no record.
  if (keepsNothing) return
  writeFileSync(RECORD, `${JSON.stringify(results, null, 2)}\n`)
  fillTables(results)
}

function measure(part: Part): Promise<Partial<Results>> {
  if (part === 'reads') return measureAllOfReads()
  if (part === 'storm') return measureAllOfStorm()
  if (part === 'processes') return measureProcesses()
  if (part === 'growth') return measureAllOfGrowth()
  if (part === 'stores') return measureStores()
  return measureAllOfCapacity()
}

async function measureAllOfReads(): Promise<Partial<Results>> {
  say('reads')
  const timing = quick ? { rounds: 2, seconds: 1, warmUpSeconds: 1 } : { rounds: 8, seconds: 1, warmUpSeconds: 1 }
  const pattern = among === undefined ? undefined : new RegExp(among, 'i')
  const { rows, leftOut } = await withStores((external) => measureReads({ ...timing, external, among: pattern }))
  if (pattern !== undefined) return { reads: rows, leftOut }
  say('statements')
  const counts = await countStatements()
  say('where the time goes')
  const profiles: Record<string, ProfileResult> = {}
  for (const path of quick ? ['/api/profile'] : ['/api/profile', '/profile'])
    profiles[path] = await profileServer(path, { seconds: quick ? 3 : 8 })
  return { reads: rows, leftOut, counts, profiles }
}

async function measureAllOfStorm(): Promise<Partial<Results>> {
  say('the login storm')
  return { storm: await measureStorm(quick ? { rounds: 1, seconds: 3 } : { rounds: 3, seconds: 5 }) }
}

async function measureProcesses(): Promise<Partial<Results>> {
  say('the login storm with several processes')
  const timing = quick ? { rounds: 1, seconds: 2 } : { rounds: 3, seconds: 3 }
  return { processes: await withStores((external) => measureSharedStorm({ ...timing, external })) }
}

async function measureAllOfGrowth(): Promise<Partial<Results>> {
  say('growth')
  const size = quick ? { rounds: 1, seconds: 1, many: 50_000 } : { rounds: 3, seconds: 2, many: 1_000_000 }
  return { growth: await measureGrowth(size) }
}

async function measureStores(): Promise<Partial<Results>> {
  say('growth on PostgreSQL and Redis')
  const size = quick ? { rounds: 1, seconds: 1, many: 50_000 } : { rounds: 3, seconds: 2, many: 1_000_000 }
  const stores = await withStores((external) => measureStoreGrowth({ ...size, external }))
  return stores ? { stores } : {}
}

async function measureAllOfCapacity(): Promise<Partial<Results>> {
  say('what one core carries')
  const timing = quick ? { rounds: 1, seconds: 1 } : { rounds: 2, seconds: 3 }
  return { capacity: await withStores((external) => measureCapacity({ ...timing, external })) }
}

async function withStores<T>(work: (external: External) => Promise<T>): Promise<T> {
  const external = await openExternal()
  try {
    return await work(external)
  } finally {
    await external.close()
  }
}

function partsToMeasure(): readonly Part[] {
  if (among !== undefined) return ['reads']
  if (only === undefined) return PARTS
  const part = PARTS.find((each) => each === only)
  if (part === undefined) throw new TypeError(`--only must be one of ${PARTS.join(', ')}, got ${only}`)
  return [part]
}

/** Parts that were measured elsewhere must not stand beside new ones as if they were of one run. */
function partsOfThisMachine(): Results | undefined {
  if (!existsSync(RECORD)) return undefined
  const last = lastResults()
  if (isDeepStrictEqual(last.machine, machine)) return last
  throw new Error(
    'bench/results.json was measured on another machine or with another Node: run the whole benchmark, without --only',
  )
}

function lastResults(): Results {
  return JSON.parse(readFileSync(RECORD, 'utf8'))
}

function fillTables(results: Results): void {
  const page = resolve(ROOT, 'docs/measurements/performance.md')
  fillBlock(page, 'bench', mainText(results))
  fillBlock(page, 'profile', profileText(results))
  fillBlock(resolve(ROOT, 'README.md'), 'bench', shortTable(results))
  fillBlock(resolve(ROOT, 'docs/measurements/scaling.md'), 'scaling', scalingText(results))
}

function say(what: string): void {
  console.error(`measuring ${what} ...`)
}
