import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'
import { postgresAnswers } from './test/support/postgres-server.ts'
import { redisAnswers } from './test/support/redis-server.ts'

const runsOnPostgres = process.env.REQUIRE_ALL === '1' || (await postgresAnswers())
const runsOnRedis = process.env.REQUIRE_ALL === '1' || (await redisAnswers())
const leftOut = [
  ...(runsOnPostgres ? [] : ['the tests of the application on PostgreSQL, as none answers on this machine']),
  ...(runsOnRedis ? [] : ['the tests of sessions and throttles on Redis, as none answers on this machine']),
]

/** What reaches the database through the membership; it runs once on SQLite, with everything else, and once on PostgreSQL. */
const ON_EVERY_DATABASE = [
  'test/membership.test.ts',
  'test/testing.test.ts',
  'test/core/**/*.test.ts',
  // It is about Redis, whatever stands beside it.
  'test/features/**/!(redis-loss).test.ts',
  'test/http/**/*.test.ts',
  'test/security/{login,login-limits,logout,registration,regressions,session-ends,session-ids}.test.ts',
]

/** What is about sessions and throttles; it runs once more with both in Redis, and everything else in SQLite. */
const ON_REDIS = [
  'test/features/{accounts,main-job,throttle}.test.ts',
  'test/security/{login-limits,logout,regressions,session-data,session-ends,session-ids}.test.ts',
]

// Tests import the package by its own name; the condition leads to the sources, so that nothing has to be built first.
export default defineConfig({
  resolve: { conditions: ['guildhall-source'] },
  ssr: { resolve: { conditions: ['guildhall-source'], externalConditions: ['guildhall-source'] } },
  test: {
    execArgv: ['--conditions=guildhall-source'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', ['./test/support/closing-line.ts', { leftOut }]],
    projects: [
      { extends: true, test: { name: 'sqlite', include: ['test/**/*.test.ts', 'stress/**/*.test.ts'] } },
      ...(runsOnPostgres
        ? [
            {
              extends: true as const,
              test: {
                name: 'postgres',
                include: ON_EVERY_DATABASE,
                env: { GUILDHALL_TEST_DATABASE: 'postgres' },
                globalSetup: './test/support/postgres-run.ts',
              },
            },
          ]
        : []),
      ...(runsOnRedis
        ? [{ extends: true as const, test: { name: 'redis', include: ON_REDIS, env: { GUILDHALL_TEST_REDIS: '1' } } }]
        : []),
    ],
  },
})
