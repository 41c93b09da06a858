// Says in the last lines what was left out and how to run it, and ends with `N passed, N failed`.
import type { Reporter, TestModule, Vitest } from 'vitest/node'

export default class ClosingLine implements Reporter {
  readonly #leftOut: readonly string[]
  #isFiltered = false

  /** What was left out before anybody could count it, in words. */
  constructor({ leftOut = [] }: { readonly leftOut?: readonly string[] } = {}) {
    this.#leftOut = leftOut
  }

  onInit({ config }: Vitest): void {
    this.#isFiltered = config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    const missing = new Map<string, number>()
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++
      // What fails before a group of tests leaves them out: that is a failure, or nobody would see it.
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') count.passed++
        if (state === 'failed') count.failed++
        if (state !== 'skipped') continue
        count.skipped++
        const reason = test.meta().missing
        if (reason !== undefined) missing.set(reason, (missing.get(reason) ?? 0) + 1)
      }
    }
    // A run with -t leaves tests out on purpose.
    if (!this.#isFiltered) {
      for (const what of this.#leftOut) console.log(`left out: ${what}`)
      for (const [what, tests] of missing) console.log(`left out: ${tests} tests, as there is no ${what} on this machine`)
    }
    console.log(`${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`)
  }
}
