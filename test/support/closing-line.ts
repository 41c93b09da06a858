// Prints `N passed, N failed` alone on the last line, and what was left out because something is not installed.
import type { Reporter, TestModule } from 'vitest/node'

export default class ClosingLine implements Reporter {
  readonly #leftOut: readonly string[]

  /** What was left out before anybody could count it. */
  constructor({ leftOut = [] }: { readonly leftOut?: readonly string[] } = {}) {
    this.#leftOut = leftOut
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    const leftOut = new Set<string>(this.#leftOut)
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++
      // What fails before a group of tests leaves them out: that is a failure, or nobody would see it.
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') count.passed++
        if (state === 'failed') count.failed++
        if (state === 'skipped') {
          count.skipped++
          leftOut.add(`${module.relativeModuleId}: ${test.fullName}`)
        }
      }
    }
    for (const name of leftOut) console.log(`left out: ${name}`)
    console.log(`${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`)
  }
}
