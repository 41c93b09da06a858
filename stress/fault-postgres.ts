// F-10: PostgreSQL crashes under people who work, stays away, and comes back.
import { setTimeout as sleep } from 'node:timers/promises'
import { OwnPostgres } from '../test/support/own-postgres.ts'
import { factsOfAccounts } from './fault-accounts.ts'
import { factsOf, suffer, withEnvironment } from './fault-environment.ts'
import type { Fact, Size, StressRun } from './result.ts'

export const postgresStops: StressRun = {
  id: 'F-10',
  title: 'PostgreSQL crashes under load and comes back: 503 in time, nobody is somebody else, nothing that was answered is lost',
  needs: ['initdb'],
  run: runStop,
}

async function runStop(size: Size): Promise<readonly Fact[]> {
  const postgres = await OwnPostgres.start()
  try {
    return await withEnvironment({ database: postgres.url }, async (environment) => {
      environment.load.begin()
      const facts = await suffer(environment, {
        name: 'stopped',
        lastsMs: size === 'full' ? 30_000 : 1500,
        breakIt: () => postgres.stop('immediate'),
        restoreIt: () => postgres.start(),
      })
      await sleep(size === 'full' ? 3000 : 500)
      await environment.load.end()
      return [...facts, ...(await factsOf(environment)), ...(await factsOfAccounts(postgres.url, environment.load))]
    })
  } finally {
    await postgres.drop()
  }
}
