// docs/express-session.md lists every behaviour that is tested here, and nothing that is not.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const TITLE = /^ *(?:test\(|test\.each\(\w+\)\(|\]\)\()\s*'([^']+)'/gm
/** What a title adds for each of its cases. */
const CASE = /(?:: |\s)(?:%s|\w+ \$).*$/

const titles = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && file !== 'list.test.ts')
  .flatMap((file) => [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(TITLE)])
  .map(([, title = '']) => title.replace(CASE, ''))

const listed = [...readFileSync(resolve(import.meta.dirname, '../../docs/express-session.md'), 'utf8').matchAll(/^\| (.+?) \|/gm)]
  .map(([, behaviour = '']) => behaviour)
  .filter((behaviour) => behaviour !== 'behaviour')

test('every behaviour in the list has its test, and every test its line', () => {
  expect(titles.length).toBeGreaterThan(150)
  expect(listed.toSorted(inOrder)).toEqual(titles.toSorted(inOrder))
  expect(new Set(listed).size).toBe(listed.length)
})

function inOrder(one: string, other: string): number {
  return one < other ? -1 : 1
}
