// What a logged-in request costs in functions and folders of src/, counted and never timed.
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ExecutedFunctions, RunFunction } from './support/executed-functions.ts'

const PROGRAM = resolve(import.meta.dirname, 'support/executed-functions.ts')

describe('a request of somebody who is logged in', () => {
  let executed: ExecutedFunctions

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=guildhall-source', PROGRAM])
    executed = JSON.parse(stdout)
  })

  // As many as before sessions had handles and states: the structure may not be paid for by visitors.
  // A touch also asks whether the person came back by the next day: three more.
  test('runs few functions, also where it marks the session as seen', () => {
    expect(executed.read.length).toBeLessThanOrEqual(49)
    expect(executed.touch.length).toBeLessThanOrEqual(70)
  })

  test('passes at most seven folders', () => {
    expect(foldersOf(executed.read).size).toBeLessThanOrEqual(7)
    expect(foldersOf(executed.touch).size).toBeLessThanOrEqual(7)
  })

  test('reaches the database through the session middleware alone', () => {
    expect(executed.way.slice(0, 3)).toEqual(['http', 'session', 'database'])
    expect(executed.way).not.toContain('storage')
    expect(executed.way.at(-1)).toBe('database')
  })
})

function foldersOf(functions: readonly RunFunction[]): ReadonlySet<string> {
  return new Set(functions.map(({ file }) => file.split('/')[0] ?? file))
}
