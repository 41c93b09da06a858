// Look-ups of one turn go out together, and each is answered by a question that was asked after it.
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { BatchLoader } from '../../src/database/batch-loader.ts'

interface Query {
  readonly keys: readonly string[]
  answer(...found: string[]): void
  fail(error: Error): void
}

function loaderOfTest(): { readonly loader: BatchLoader<string>; readonly queries: Query[] } {
  const queries: Query[] = []
  const loader = new BatchLoader<string>((keys) => {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, string>>()
    queries.push({ keys, answer: (...found) => resolve(new Map(found.map((key) => [key, `row of ${key}`]))), fail: reject })
    return promise
  })
  return { loader, queries }
}

test('look-ups of one turn are one statement, and every caller gets its own row', async () => {
  const { loader, queries } = loaderOfTest()
  const found = Promise.all(['anna', 'nobody', 'berta', 'anna'].map((key) => loader.find(key)))
  await turn()
  expect(queries.map(({ keys }) => keys)).toEqual([['anna', 'nobody', 'berta']])
  queries[0]?.answer('berta', 'anna')
  expect(await found).toEqual(['row of anna', undefined, 'row of berta', 'row of anna'])
})

test('a look-up during a statement goes into the next one: a row deleted in between is not found', async () => {
  const { loader, queries } = loaderOfTest()
  const before = loader.find('anna')
  await turn()
  const after = loader.find('anna')
  await turn()
  expect(queries.map(({ keys }) => keys)).toEqual([['anna'], ['anna']])
  queries[1]?.answer()
  expect(await after).toBeUndefined()
  queries[0]?.answer('anna')
  expect(await before).toBe('row of anna')
})

test('a statement that fails fails for its callers, and for nobody else', async () => {
  const { loader, queries } = loaderOfTest()
  const both = Promise.allSettled([loader.find('anna'), loader.find('berta')])
  await turn()
  const later = loader.find('anna')
  await turn()
  queries[0]?.fail(new Error('away'))
  queries[1]?.answer('anna')
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await later).toBe('row of anna')
})

test('a crowd is asked for in several questions', async () => {
  const { loader, queries } = loaderOfTest()
  const found = Promise.all(Array.from({ length: 250 }, (_, at) => loader.find(`visitor-${at}`)))
  await turn()
  expect(queries.map(({ keys }) => keys.length)).toEqual([100, 100, 50])
  for (const { keys, answer } of queries) answer(...keys)
  expect((await found).every((row, at) => row === `row of visitor-${at}`)).toBe(true)
})
