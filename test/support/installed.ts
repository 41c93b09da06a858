// Programs of other makers that a test runs for real.
import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'

/** Tests with a program. Where it is not installed they are left out and counted as such; with REQUIRE_ALL=1 they fail. */
export function describeWith(program: string, title: string, body: () => void): void {
  const isThere = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  const isLeftOut = !isThere && process.env.REQUIRE_ALL !== '1'
  if (isLeftOut) console.warn(`left out: ${title}, as there is no ${program} on this machine`)
  describe.skipIf(isLeftOut)(title, body)
}
