// `npm run bench`: measures, prints tables, writes results.json and fills the tables of the docs. Asserts nothing about time.
// `--quick` measures for a minute and keeps nothing; `--tables` measures nothing and writes the tables of the last results again.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { countStatements } from './counts.ts'
import { generatorName } from './generator.ts'
import { measureGrowth } from './growth.ts'
import { removeFolders } from './processes.ts'
import { profileServer } from './profile.ts'
import { measureReads } from './reads.ts'
import { fillBlock, otherGoalsTable, profileText, type Results, readsTable, shortTable } from './report.ts'
import { measureStorm } from './storm.ts'

const HERE = import.meta.dirname
const ROOT = resolve(HERE, '..')

const RECORD = resolve(HERE, 'results.json')

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, tables: { type: 'boolean', default: false } },
})
const { quick, tables } = values

if (tables) fillTables(JSON.parse(readFileSync(RECORD, 'utf8')))
else await bench()

async function bench(): Promise<void> {
  installPeers()
  try {
    const results = await measure()
    print(results)
    // A quick look is no record.
    if (quick) return
    writeFileSync(RECORD, `${JSON.stringify(results, null, 2)}\n`)
    fillTables(results)
  } finally {
    removeFolders()
  }
}

async function measure(): Promise<Results> {
  const say = (what: string) => console.error(`measuring ${what} ...`)
  say('reads')
  const reads = await measureReads(
    quick ? { rounds: 3, seconds: 1, warmUpSeconds: 1 } : { rounds: 11, seconds: 1, warmUpSeconds: 2 },
  )
  say('statements')
  const counts = await countStatements()
  say('the login storm')
  const storm = await measureStorm(quick ? { rounds: 1, seconds: 4 } : { rounds: 3, seconds: 6 })
  say('where the time goes')
  const profiles: Record<string, Results['profiles'][string]> = {}
  for (const path of quick ? ['/api/profile'] : ['/api/profile', '/profile'])
    profiles[path] = await profileServer(path, { seconds: quick ? 3 : 8 })
  if (!quick) say('growth')
  const growth = quick ? {} : { growth: await measureGrowth({ rounds: 3, seconds: 2, many: 1_000_000 }) }
  return {
    date: new Date().toISOString(),
    machine: {
      node: process.version,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      generator: generatorName,
    },
    quick,
    reads,
    counts,
    storm,
    ...growth,
    profiles,
  }
}

function print(results: Results): void {
  console.log(`\n${readsTable(results.reads)}\n\n${otherGoalsTable(results)}\n\n${profileText(results.profiles)}`)
}

function fillTables(results: Results): void {
  const page = resolve(ROOT, 'docs/performance.md')
  const { date, machine } = results
  const where = `${date.slice(0, 10)}, Node ${machine.node.slice(1)}, ${machine.cores} cores of ${machine.processor}, load by ${machine.generator}.`
  fillBlock(page, 'bench', `${where}\n\n${readsTable(results.reads)}\n\n${otherGoalsTable(results)}`)
  fillBlock(page, 'profile', profileText(results.profiles))
  fillBlock(resolve(ROOT, 'README.md'), 'bench', shortTable(results))
}

/** express-session and autocannon are needed here alone: the project itself is installed without them. */
function installPeers(): void {
  if (existsSync(resolve(HERE, 'node_modules/express-session'))) return
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status } = spawnSync(npm, ['ci', '--prefix', HERE, '--no-audit', '--no-fund'], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) throw new Error('the packages to compare with could not be installed: npm ci --prefix bench')
}
