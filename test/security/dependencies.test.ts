// What other people's code comes along with an installation.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/program.ts'

interface Locked {
  readonly dev?: boolean
  readonly optional?: boolean
  readonly peer?: boolean
  readonly hasInstallScript?: boolean
}

const lock: { packages: Readonly<Record<string, Locked>> } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))

test('X-03 whoever installs it gets few packages of others, and none that runs a program', () => {
  const { '': _own, ...others } = lock.packages
  const installed = Object.entries(others).filter(([, { dev }]) => !dev)
  expect(installed.filter(([, { optional, peer }]) => !optional && !peer).length).toBeLessThanOrEqual(60)
  expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
})
