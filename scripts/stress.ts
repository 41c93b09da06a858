// `npm run stress [-- ID] [--ci]`: every stress run, or one; counts go to stress/results.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { stressRuns } from '../stress/all.ts'
import type { Fact } from '../stress/result.ts'
import { findProgram } from '../test/support/own-server.ts'

interface Outcome {
  readonly id: string
  readonly title: string
  readonly command: string
  readonly expected: Readonly<Record<string, string>>
  readonly measured: Readonly<Record<string, number>>
  readonly passed: boolean
}

const RESULTS = resolve(import.meta.dirname, '../stress/results.json')

const args = process.argv.slice(2)
/** A hundredth, as `REQUIRE_ALL=1 npm test` runs it; only full runs are recorded. */
const size = args.includes('--ci') ? 'ci' : 'full'
const wanted = args.find((arg) => arg !== '--ci')
const chosen = stressRuns.filter(({ id }) => wanted === undefined || id.includes(wanted))
if (chosen.length === 0) throw new TypeError(`there is no run ${wanted}; known are ${stressRuns.map(({ id }) => id).join('; ')}`)

const outcomes: Outcome[] = []
for (const { id, title, needs = [], run } of chosen) {
  console.log(`\n${id}: ${title}`)
  const missing = needs.filter((program) => findProgram(program) === undefined)
  if (missing.length > 0) {
    console.log(`  left out: ${missing.join(' and ')} is not installed`)
    continue
  }
  const startedAt = performance.now()
  const facts = await run(size)
  for (const fact of facts)
    console.log(`  ${fact.holds ? 'holds ' : 'BROKEN'}  ${fact.what}: ${fact.measured} (${fact.expected})`)
  console.log(`  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  outcomes.push(outcomeOf(id, title, facts))
}
if (size === 'full') record()
const failed = outcomes.filter(({ passed }) => !passed).length
console.log(`\n${outcomes.length - failed} passed, ${failed} failed`)
// Kept connections and threads that rest would hold the process open.
process.exit(failed === 0 ? 0 : 1)

function outcomeOf(id: string, title: string, facts: readonly Fact[]): Outcome {
  return {
    id,
    title,
    command: `npm run stress -- ${id.split(',')[0]}`,
    expected: Object.fromEntries(facts.map(({ what, expected }) => [what, expected])),
    measured: Object.fromEntries(facts.map(({ what, measured }) => [what, measured])),
    passed: facts.every(({ holds }) => holds),
  }
}

/** What did not run this time keeps its place in the record. */
function record(): void {
  const before = wanted === undefined ? [] : recorded()
  const others = before.filter(({ id }) => !outcomes.some((outcome) => outcome.id === id))
  const order = stressRuns.map(({ id }) => id)
  const all = [...others, ...outcomes].toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
  writeFileSync(RESULTS, `${JSON.stringify({ date: new Date().toISOString(), node: process.version, runs: all }, null, 2)}\n`)
}

function recorded(): readonly Outcome[] {
  try {
    return JSON.parse(readFileSync(RESULTS, 'utf8')).runs
  } catch {
    return []
  }
}
