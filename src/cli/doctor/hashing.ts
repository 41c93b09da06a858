// Measures a password hash: too fast helps a thief, too slow makes members wait.

import { createHasher } from '../../passwords/hasher.ts'
import type { Config } from '../../server/config.ts'
import { settingsFrom } from '../../settings/check.ts'
import { type Finding, ok, warning } from './finding.ts'

/** The default takes 10 to 50 ms on a current machine. */
const TOO_QUICK_MS = 5
const TOO_SLOW_MS = 1000
const ROUNDS = 3

export async function checkHashing({ membership, database }: Config): Promise<Finding> {
  const { passwords } = settingsFrom({ ...membership, production: false, baseUrl: 'http://localhost', database }).settings
  const hasher = createHasher({
    algorithm: passwords.hash,
    argon2: { memoryKiB: passwords.memoryKiB, passes: passwords.passes },
    bcryptCost: passwords.bcryptCost,
    peppers: passwords.peppers,
    workers: 1,
  })
  try {
    // The first one starts the thread.
    await hasher.hash('how long does it take')
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now()
      await hasher.hash('how long does it take')
      times.push(performance.now() - startedAt)
    }
    const ms = Math.round(times.toSorted((a, b) => a - b)[1] ?? 0)
    const one = `One password hash (${passwords.hash}) takes`
    if (ms < TOO_QUICK_MS)
      return warning(`${one} only ${ms} ms here, which helps a thief guess: raise HASH_MEMORY_KIB or HASH_PASSES.`)
    if (ms > TOO_SLOW_MS) return warning(`${one} ${ms} ms here, logins will wait in line: lower HASH_MEMORY_KIB or HASH_PASSES.`)
    return ok(`${one} ${ms} ms here.`)
  } finally {
    await hasher.close()
  }
}
