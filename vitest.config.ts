import { defineConfig } from 'vitest/config'

// Tests import the package by its own name; the condition leads to the sources, so that nothing has to be built first.
export default defineConfig({
  resolve: { conditions: ['guildhall-source'] },
  ssr: { resolve: { conditions: ['guildhall-source'], externalConditions: ['guildhall-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    execArgv: ['--conditions=guildhall-source'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    reporters: ['default', './test/support/closing-line.ts'],
  },
})
