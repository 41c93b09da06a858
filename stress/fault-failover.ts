// F-11: the PostgreSQL that everybody writes to dies, its follower takes over, and the address moves there.
import { setTimeout as sleep } from 'node:timers/promises'
import { OwnPostgres } from '../test/support/own-postgres.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { factsOfAccounts } from './fault-accounts.ts'
import { type Environment, factsOf, inAll, suffer, withEnvironment } from './fault-environment.ts'
import type { Fact, StressRun } from './result.ts'

export const postgresFailsOver: StressRun = {
  id: 'F-11, failover',
  title: 'PostgreSQL dies and its follower takes over: every account that was answered is there, and the site goes on by itself',
  needs: ['initdb', 'pg_basebackup'],
  run: (size) => runFailover(size === 'full' ? 5 : 1),
}

/** Each commit is confirmed by the follower before it is answered. */
async function runFailover(rounds: number): Promise<readonly Fact[]> {
  const found: (readonly Fact[])[] = []
  for (let round = 0; round < rounds; round++) {
    const first = await OwnPostgres.start(['synchronous_standby_names=follower'])
    const second = await first.follower('follower')
    const proxy = await TcpProxy.before(first.url)
    try {
      found.push(
        await withEnvironment({ database: proxy.urlOf(first.url) }, (environment) =>
          failOver(environment, { first, second, proxy }),
        ),
      )
    } finally {
      await proxy.close()
      await second.drop()
      await first.drop()
    }
  }
  return inAll(found)
}

async function failOver(
  environment: Environment,
  { first, second, proxy }: { readonly first: OwnPostgres; readonly second: OwnPostgres; readonly proxy: TcpProxy },
): Promise<readonly Fact[]> {
  environment.load.begin()
  await sleep(1000)
  const facts = await suffer(environment, {
    name: 'failover',
    lastsMs: 1000,
    breakIt: () => first.stop('immediate'),
    async restoreIt() {
      await second.promote()
      proxy.moveTo(second.url)
    },
  })
  await sleep(500)
  await environment.load.end()
  return [...facts, ...(await factsOf(environment)), ...(await factsOfAccounts(second.url, environment.load))]
}
