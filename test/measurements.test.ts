// The figures of docs/measurements that come from stress runs are those in stress/results.json.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './support/program.ts'

type Counts = Readonly<Record<string, number>>

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const { runs }: { runs: readonly { id: string; measured: Counts }[] } = JSON.parse(read('stress/results.json'))
const countsOf = (id: string): Counts => runs.find((run) => run.id === id)?.measured ?? {}

/** As the pages write it: `5613`, `18 154`. */
function shown(count: number | undefined): string {
  return String(count).replace(/^(\d{2,})(\d{3})$/, '$1 $2')
}

function rowsOf(page: string): ReadonlyMap<string, readonly string[]> {
  const lines = [...read(page).matchAll(/^\|(.+)\|$/gm)].map(([, cells = '']) => cells.split('|').map((cell) => cell.trim()))
  return new Map(lines.map(([name = '', ...cells]) => [name, cells]))
}

test('the page of faults has the counts of the stress run', () => {
  const rows = rowsOf('docs/measurements/faults.md')
  const columns = ['F-10', 'F-11, slow', 'F-11, failover', 'F-12', 'F-13'].map(countsOf)
  const pair = (one: string, other: string) => columns.map((counts) => `${shown(counts[one])}, ${shown(counts[other])}`)
  expect(rows.get('answers')).toEqual(columns.map(({ answers }) => shown(answers)))
  const unavailable = columns.map((counts) =>
    Object.entries(counts).reduce((sum, [name, count]) => sum + (name.endsWith(': answers 503') ? count : 0), 0),
  )
  expect(rows.get('of these 503 while something was broken')?.slice(0, 4)).toEqual(unavailable.slice(0, 4).map(shown))
  expect(rows.get('registrations answered 201, of these missing')).toEqual(
    pair('registrations answered 201', 'of these, missing'),
  )
  expect(rows.get('logouts answered 204, of these undone')).toEqual(pair('logouts answered 204', 'of these, undone'))
  for (const name of ['5xx other than 503', 'people who were taken for somebody else'])
    expect(rows.get(name)).toEqual(columns.map((counts) => shown(counts[name] ?? counts[`answers ${name}`])))
})

test('the page of faults has the times of the stress run', () => {
  const rows = rowsOf('docs/measurements/faults.md')
  const measured: readonly (readonly [name: string, id: string, fault: string])[] = [
    ['PostgreSQL stopped', 'F-10', 'stopped'],
    ['PostgreSQL two seconds late', 'F-11, slow', 'two seconds late'],
    ['PostgreSQL locked by somebody', 'F-11, slow', 'locked by somebody'],
    ['PostgreSQL frozen', 'F-11, slow', 'frozen'],
    ['PostgreSQL throws everybody out', 'F-11, slow', 'throws everybody out'],
    ['PostgreSQL failover', 'F-11, failover', 'failover'],
    ['Redis stopped', 'F-12', 'stopped'],
    ['Redis frozen', 'F-12', 'frozen'],
    ['Redis silent', 'F-12', 'silent'],
    ['Redis refused', 'F-12', 'refused'],
    ['Redis two seconds late', 'F-12', 'two seconds late'],
  ]
  const kinds = ['longest call to the store', 'longest answer to a member who reads', 'longest answer of all']
  for (const [name, id, fault] of measured) {
    const counts = countsOf(id)
    expect([name, rows.get(name)]).toEqual([
      name,
      [...kinds, 'last 503 after the return'].map((kind) => `${shown(counts[`${fault}: ${kind}`])} ms`),
    ])
  }
})

test('the page of races has the counts of the stress run', () => {
  const rows = rowsOf('docs/measurements/races.md')
  const counts = countsOf('comparison')
  const stores = [
    'memory',
    'SQLite, four processes',
    'express-session, MemoryStore',
    'express-session, connect-redis, four processes',
    'express-session, connect-pg-simple, four processes',
    'connect-redis by fromExpressStore, one process',
    'connect-redis by fromExpressStore, four processes',
  ]
  const of = (lost: string, all: string) =>
    stores.map((store) => {
      const count = counts[`${store}: ${lost}`]
      return count === undefined ? 'has none' : `${count} of ${counts[`${store}: ${all}`] ?? all}`
    })
  expect(rows.get('logouts undone by a slow request')).toEqual(of('logouts undone', 'logouts'))
  expect(rows.get('writes to different keys lost')).toEqual(
    of('writes to different keys that were lost', 'writes to different keys'),
  )
  expect(rows.get('counts lost, `n = n + 1`')).toEqual(of('counts by assignment that were lost', 'counts by assignment'))
  expect(rows.get('counts lost, `req.session.update`')).toEqual(of('counts by update that were lost', 'counts by update'))
  expect(rows.get('people logged out by a new id')).toEqual(of('rotations that logged somebody out', 'rotations'))
  expect(rows.get('requests with the old id refused')).toEqual(of('of 600 requests with the old id, refused', '600'))
  expect(rows.get('old ids that stayed alive')).toEqual(of('rotations that left the old id alive', 'rotations'))
})
