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

test('each id is explained in one sentence', () => {
  const explained = [...page.matchAll(/^### (\S+)\n\n(.+)\n\n- /gm)]
  expect(explained.map(([, id]) => id)).toEqual(explainedIds(page))
  for (const [, id, sentence = ''] of explained)
    expect([id, sentence]).toEqual([id, expect.stringMatching(/^[A-Z][^.]+\.(?: \(ASVS [\d., ]+\))?$/)])
})

test('the tests below each sentence are those of today; if not, run npm run docs', () => {
  expect(withCarriers(page, carriers)).toBe(page)
})
