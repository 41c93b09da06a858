// The benchmark: what it recorded is what the pages say, and a busy machine gets no record.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { places, written } from '../bench/pages.ts'
import type { Results } from '../bench/results.ts'
import { ROOT } from './support/program.ts'

const RECORD = join(ROOT, 'bench/results.json')

function results(): Results {
  return JSON.parse(readFileSync(RECORD, 'utf8'))
}

test.each(places)('somebody who reads $file finds in `$name` the figures that were recorded', (place) => {
  expect(written(place)).toBe(place.text(results()))
})

test('somebody who looks for the speed in the README finds six rows: bare Express, three others and two of ours', () => {
  const readme = places.find(({ file }) => file === 'README.md')
  const [, , ...rows] = (readme?.text(results()) ?? '').split('\n').filter((line) => line.startsWith('|'))
  expect(rows).toHaveLength(6)
  expect(rows[0]).toMatch(/^\| bare Express \| 1\.00 \|/)
  expect(rows.filter((row) => /guildhall|whole server/.test(row))).toHaveLength(2)
})

// What else runs is read from /proc.
test.runIf(process.platform === 'linux')(
  'somebody who measures beside other work is told what is busy, and gets no record',
  async () => {
    const before = readFileSync(RECORD, 'utf8')
    const other = spawn(process.execPath, ['-e', 'while (true);'])
    try {
      const { code, said } = await bench()
      expect(code).toBe(1)
      expect(said).toMatch(/The machine is busy:[\s\S]*other processes use [\d.]+ of a core \(at most 0\.1\): .*\(pid \d+\)/)
      expect(said).toContain('Nothing was measured')
    } finally {
      other.kill('SIGKILL')
    }
    expect(readFileSync(RECORD, 'utf8')).toBe(before)
  },
)

test('somebody who asks for no cycles at all is told how many there may be', async () => {
  expect(await bench('--cycles', '0')).toMatchObject({
    code: 1,
    said: expect.stringContaining('--cycles must be a whole number from 1, got 0'),
  })
})

async function bench(...options: readonly string[]) {
  const child = spawn(process.execPath, ['--conditions=guildhall-source', 'bench/run.ts', ...options], { cwd: ROOT })
  const code = new Promise<number | null>((done) => child.once('exit', done))
  const [said, exit] = await Promise.all([text(child.stderr), code])
  return { code: exit, said }
}
