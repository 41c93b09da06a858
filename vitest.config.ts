// Which tests there are, which of them the quick run leaves to the full one, and what runs on PostgreSQL and Redis too.
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'
import { postgresAnswers } from './test/support/postgres-server.ts'
import { redisAnswers } from './test/support/redis-server.ts'

/** `npm test` takes three minutes on two cores; these take longer, or need a machine of their own. `REQUIRE_ALL=1 npm test` runs them. */
const ONLY_IN_THE_FULL_RUN = {
  'races, crashes and faults, again and again': ['stress/**'],
  'every other journey in a browser': ['test/browser/!(main-journey).test.ts', 'test/examples/json-client.test.ts'],
  'every page by the rules of accessibility': ['test/views/{accessibility,needs,reader}.test.ts'],
  'the package, packed and installed': ['test/package/**'],
  'several processes, the proxy and the units of deploy/': ['test/server/workers.test.ts', 'test/deploy/**'],
  'backups and copies, killed in the middle': ['test/cli/{after-restore,backup,copy}.test.ts'],
  'the program on PostgreSQL and on Redis': ['test/server/{postgres,redis}.test.ts'],
  'the command line beyond its main commands': ['test/cli/{language,operator,slips}.test.ts'],
  'servers of their own that fail, lose data or speak TLS': [
    'test/storage/{pgbouncer,postgres-faults,postgres-queue}.test.ts',
    'test/server/postgres-tls.test.ts',
    'test/storage/redis-loss.test.ts',
    'test/session/redis-cluster.test.ts',
  ],
}

/** Where another SQL may answer otherwise; it runs on SQLite and on PostgreSQL. What counters do there, test/storage/databases.test.ts proves. */
const ON_EVERY_DATABASE = [
  'test/membership.test.ts',
  'test/core/credentials-changed.test.ts',
  'test/features/{email-verification,login,logout,password,password-reset,profile,recent-login,registration,security}.test.ts',
  'test/users/**/*.test.ts',
  'test/security/{addresses,registration,session-ends}.test.ts',
]
/** The rest of what reaches the database through the membership: on PostgreSQL in the full run. */
const ON_EVERY_DATABASE_IN_FULL = [
  'test/testing.test.ts',
  'test/{core,features,http}/**/*.test.ts',
  'test/storage/redis.test.ts',
  'test/security/{login,login-limits,logout,password-reset,regressions,session-ids}.test.ts',
]

/** What is about sessions and throttles; it runs once more with both in Redis, and everything else in SQLite. */
const ON_REDIS = [
  'test/features/{email-verification,login,logout,password,recent-login,security}.test.ts',
  'test/users/**/*.test.ts',
  'test/security/{session-data,session-ends}.test.ts',
]
/** The rest of that: in the full run. */
const ON_REDIS_IN_FULL = [
  'test/core/throttle.test.ts',
  'test/features/{profile,registration}.test.ts',
  'test/http/guards.test.ts',
  'test/security/{login-limits,logout,regressions,session-ids}.test.ts',
]

/** What meets Express, once more on Express 4: in the full run. */
const ON_EXPRESS_4 = ['test/{http,features,express-session}/**/*.test.ts', 'test/{membership,ws}.test.ts']

const isFull = process.env.REQUIRE_ALL === '1'
/** Files that were named are run, whatever they are. */
const areNamed = process.argv.slice(2).some((argument) => /^(?:\.\/)?(?:test|stress)\b/.test(argument))
const isQuick = !isFull && !areNamed
const runsOnPostgres = isFull || (await postgresAnswers())
const runsOnRedis = isFull || (await redisAnswers())

const leftOut = [
  ...(isQuick
    ? [...Object.keys(ONLY_IN_THE_FULL_RUN), 'the rest of HTTP once more on PostgreSQL and on Redis, and on Express 4']
    : []
  ).map((what) => `${what}: REQUIRE_ALL=1 npm test`),
  ...(runsOnPostgres ? [] : ['what runs on PostgreSQL too, as none answers: start one, or say where in GUILDHALL_TEST_POSTGRES']),
  ...(runsOnRedis ? [] : ['what runs on Redis too, as none answers: start one, or say where in GUILDHALL_TEST_REDIS_URL']),
]

// Tests import the package by its own name; the condition leads to the sources, so that nothing has to be built first.
export default defineConfig({
  resolve: { conditions: ['guildhall-source'] },
  ssr: { resolve: { conditions: ['guildhall-source'], externalConditions: ['guildhall-source'] } },
  test: {
    execArgv: ['--conditions=guildhall-source'],
    // Only a test that hangs takes so long, however busy the machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    // The quick run loads the sources once for many files; in the full run every file stands alone.
    isolate: !isQuick,
    exclude: ['**/node_modules/**', ...(isQuick ? Object.values(ONLY_IN_THE_FULL_RUN).flat() : [])],
    sequence: { sequencer: LongestFirst },
    reporters: ['default', ['./test/support/summary-reporter.ts', { leftOut }]],
    projects: [
      { extends: true, test: { name: 'sqlite', include: ['test/**/*.test.ts', 'stress/**/*.test.ts'] } },
      ...(runsOnPostgres
        ? [
            {
              extends: true as const,
              test: {
                name: 'postgres',
                include: [...ON_EVERY_DATABASE, ...(isQuick ? [] : ON_EVERY_DATABASE_IN_FULL)],
                env: { GUILDHALL_TEST_DATABASE: 'postgres' },
                globalSetup: './test/support/postgres-run.ts',
              },
            },
          ]
        : []),
      ...(isFull
        ? [
            {
              extends: true as const,
              resolve: { alias: { express: 'express4' } },
              test: { name: 'express4', include: ON_EXPRESS_4 },
            },
          ]
        : []),
      ...(runsOnRedis
        ? [
            {
              extends: true as const,
              test: {
                name: 'redis',
                include: [...ON_REDIS, ...(isQuick ? [] : ON_REDIS_IN_FULL)],
                env: { GUILDHALL_TEST_REDIS: '1' },
              },
            },
          ]
        : []),
    ],
  },
})
