// What other people's code comes along with an installation.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/program.ts'

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly hasInstallScript?: boolean
}

const lock: { packages: Readonly<Record<string, Locked>> } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))

/** The folder in which Node finds a dependency of a package. */
function placeOf(name: string, folder: string): string {
  for (let from = folder; from !== ''; from = from.slice(0, Math.max(from.lastIndexOf('/node_modules/'), 0))) {
    const nested = `${from}/node_modules/${name}`
    if (lock.packages[nested]) return nested
  }
  return `node_modules/${name}`
}

/** All that `dependencies` bring, one through another; what only a test or the application itself needs is not among them. */
function installed(folder = '', found = new Set<string>()): ReadonlySet<string> {
  for (const name of Object.keys(lock.packages[folder]?.dependencies ?? {})) {
    const place = placeOf(name, folder)
    if (found.has(place)) continue
    found.add(place)
    installed(place, found)
  }
  return found
}

test('X-03 an installation brings few packages of others, and none that runs a program', () => {
  const places = installed()
  expect(places.size).toBeGreaterThan(20)
  expect(places.size).toBeLessThanOrEqual(60)
  expect([...places].filter((place) => lock.packages[place]?.hasInstallScript)).toEqual([])
})
