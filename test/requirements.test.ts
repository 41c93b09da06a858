// docs/requirements.md explains every id that a test carries, no other, and names its tests.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { carriersOf, explainedIds, REQUIREMENTS, withCarriers } from '../scripts/docs/requirements.ts'
import { ROOT } from './support/program.ts'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const page = read(REQUIREMENTS)
const carriers = carriersOf(ROOT, read)

test('each id of a test is explained on the page, and each id on the page has a test', () => {
  expect(carriers.size).toBeGreaterThan(130)
  expect(explainedIds(page).toSorted()).toEqual([...carriers.keys()])
})

test('whoever asks what is missing reads how many ids have a test, how many do not apply yet, and which', () => {
  const [, all, tested, without, untested, added] =
    /Of the (\d+) ids .*?, (\d+) have a test, (\d+) .*? and (\d+) apply without one; (\d+) was added/.exec(page)?.map(Number) ??
    []
  const missing = [...page.matchAll(/^\| ([A-Z]-\d.*?) \| .* \|$/gm)].flatMap(([, ids = '']) => ids.split(', ').flatMap(idsIn))
  expect(missing.filter((id) => carriers.has(id))).toEqual([])
  expect(new Set(missing).size).toBe(without)
  expect(carriers.size).toBe(Number(tested) + Number(added))
  expect(all).toBe(Number(tested) + Number(without) + Number(untested))
})

/** All of a range, both ends named. */
function idsIn(range: string): readonly string[] {
  const [first = '', last = first] = range.split(' to ')
  const [from, to] = [first, last].map((id) => Number(id.slice(2)))
  const count = Number(to) - Number(from) + 1
  return Array.from({ length: count }, (_, n) => `${first.slice(0, 2)}${String(Number(from) + n).padStart(2, '0')}`)
}

test('each id is explained in one sentence', () => {
  const explained = [...page.matchAll(/^### (\S+)\n\n(.+)\n\n- /gm)]
  expect(explained.map(([, id]) => id)).toEqual(explainedIds(page))
  for (const [, id, sentence = ''] of explained)
    expect([id, sentence]).toEqual([id, expect.stringMatching(/^[A-Z][^.]+\.(?: \(ASVS [\d., ]+\))?$/)])
})

test('the tests below each sentence are those of today; if not, run npm run docs', () => {
  expect(withCarriers(page, carriers)).toBe(page)
})
