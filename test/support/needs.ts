// Tests that need a service or a program: left out if it is missing, failed by REQUIRE_ALL=1.
import { describe } from 'vitest'
import { findProgram } from './own-server.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** Why it was left out; the closing line says it. */
    missing?: string
  }
}

/** `missing` names what is not there, in words that complete "there is no ..."; undefined if all is. */
export function describeUnless(missing: string | undefined, title: string, body: () => void): void {
  if (missing === undefined || process.env.REQUIRE_ALL === '1') describe(title, body)
  else describe.skip(title, { meta: { missing } }, body)
}

/** Tests with programs of other makers. */
export function describeWith(programs: string | readonly string[], title: string, body: () => void): void {
  const missing = [programs].flat().filter((program) => findProgram(program) === undefined)
  describeUnless(missing.length === 0 ? undefined : missing.join(' and no '), title, body)
}
