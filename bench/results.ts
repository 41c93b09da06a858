// What bench/results.json holds: parts that are measured one by one, each with when, where and how quiet it was.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { resolve } from 'node:path'
import type { CapacityRow } from './capacity.ts'
import type { GrowthResult } from './growth.ts'
import type { ProfileResult } from './profile.ts'
import type { ReadResult } from './reads.ts'
import type { StormResult } from './storm.ts'

export interface Measures {
  readonly reads: ReadResult
  readonly storm: StormResult
  readonly growth: GrowthResult
  /** What docs/measurements/scaling.md reckons with. */
  readonly capacity: readonly CapacityRow[]
  /** By the path that was asked for. */
  readonly profiles: Readonly<Record<string, ProfileResult>>
}

export type Part = keyof Measures

export interface Recorded<T> {
  readonly date: string
  readonly machine: string
  /** What else the machine had to do; empty in what `npm run bench` records. */
  readonly busy: readonly string[]
  readonly measured: T
}

export type Results = { readonly [P in Part]?: Recorded<Measures[P]> }

const RECORD = resolve(import.meta.dirname, 'results.json')
/** More digits than a measurement has. */
const DIGITS = 5

export function recorded<T>(measured: T, busy: readonly string[]): Recorded<T> {
  const machine = `Node ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'unknown'}`
  return { date: new Date().toISOString(), machine, busy, measured }
}

export function readResults(): Results {
  return existsSync(RECORD) ? JSON.parse(readFileSync(RECORD, 'utf8')) : {}
}

export function writeResults(results: Results): void {
  const shortened = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value
  // What holds nothing else stands on one line.
  const lines = JSON.stringify(results, shortened, 2).replace(/\{[^{}[\]]*\}/g, (inner) => inner.replace(/\n\s*/g, ' '))
  writeFileSync(RECORD, `${lines}\n`)
}
