// `npm run prove [-- ID]`: runs the races, the crashes and the made-up requests at full size and writes what was counted to docs/proof.json. PROOF=ci runs a hundredth.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { proofs } from '../stress/all.ts'
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

const RECORD = resolve(import.meta.dirname, '../docs/proof.json')

const size = process.env.PROOF === 'ci' ? 'ci' : 'full'
const [wanted] = process.argv.slice(2)
const chosen = proofs.filter(({ id }) => wanted === undefined || id.includes(wanted))
if (chosen.length === 0) throw new TypeError(`there is no proof ${wanted}; known are ${proofs.map(({ id }) => id).join('; ')}`)

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
if (size === 'full') keep()
const failed = outcomes.filter(({ passed }) => !passed).length
console.log(`\n${outcomes.length - failed} proofs hold, ${failed} are broken`)
// Kept connections and threads that rest would hold the process open.
process.exit(failed === 0 ? 0 : 1)

function outcomeOf(id: string, title: string, facts: readonly Fact[]): Outcome {
  return {
    id,
    title,
    command: `npm run prove -- ${id.split(',')[0]}`,
    expected: Object.fromEntries(facts.map(({ what, expected }) => [what, expected])),
    measured: Object.fromEntries(facts.map(({ what, measured }) => [what, measured])),
    passed: facts.every(({ holds }) => holds),
  }
}

/** Proofs that did not run this time keep their place in the record. */
function keep(): void {
  const before = wanted === undefined ? [] : recorded()
  const others = before.filter(({ id }) => !outcomes.some((outcome) => outcome.id === id))
  const order = proofs.map(({ id }) => id)
  const all = [...others, ...outcomes].toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
  writeFileSync(RECORD, `${JSON.stringify({ date: new Date().toISOString(), node: process.version, proofs: all }, null, 2)}\n`)
}

function recorded(): readonly Outcome[] {
  try {
    return JSON.parse(readFileSync(RECORD, 'utf8')).proofs
  } catch {
    return []
  }
}
