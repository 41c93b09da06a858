// The places in README and docs that hold recorded figures, between `<!-- NAME -->` and `<!-- /NAME -->`, and what stands there.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { performanceText, profileText, readmeText } from './report.ts'
import type { Results } from './results.ts'
import { scalingText } from './scaling.ts'

interface Place {
  readonly file: string
  readonly name: string
  text(results: Results): string
}

export const places: readonly Place[] = [
  { file: 'README.md', name: 'bench', text: readmeText },
  { file: 'docs/measurements/performance.md', name: 'bench', text: performanceText },
  { file: 'docs/measurements/performance.md', name: 'profile', text: profileText },
  { file: 'docs/measurements/scaling.md', name: 'scaling', text: scalingText },
]

const ROOT = resolve(import.meta.dirname, '..')

export function fillPages(results: Results): void {
  for (const place of places) {
    const [before, , after] = partsOf(place)
    writeFileSync(resolve(ROOT, place.file), `${before}\n${place.text(results)}\n${after}`)
  }
}

/** What stands there now. */
export function written(place: Place): string {
  return partsOf(place)[1].trim()
}

function partsOf({ file, name }: Place): readonly [before: string, text: string, after: string] {
  const whole = readFileSync(resolve(ROOT, file), 'utf8')
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = whole.indexOf(open) + open.length
  const to = whole.indexOf(close)
  if (from < open.length || to < from) throw new Error(`${file} has no place between ${open} and ${close}`)
  return [whole.slice(0, from), whole.slice(from, to), whole.slice(to)]
}
