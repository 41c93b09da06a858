// F-11: PostgreSQL is slow, locked by somebody, frozen under a storm of requests, and throws everybody out.
import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_CONNECTIONS } from '../src/database/postgres/pool.ts'
import { MAX_WAITING } from '../src/database/postgres/semaphore.ts'
import { OwnPostgres } from '../test/support/own-postgres.ts'
import { onServer } from '../test/support/postgres-server.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { factsOfAccounts } from './fault-accounts.ts'
import { type Environment, type Fault, factsOf, suffer, withEnvironment } from './fault-environment.ts'
import { ask } from './http-request.ts'
import { atMost, exactly, type Fact, type Size, type StressRun } from './result.ts'

/** Those of both processes, and as many that are given up in this moment. */
const MOST_IN_POSTGRES = 3 * MAX_CONNECTIONS

export const postgresLags: StressRun = {
  id: 'F-11, slow',
  title: 'PostgreSQL is slow, locked, frozen or throws everybody out: 503 in time, nothing is done twice, nothing piles up',
  needs: ['initdb'],
  run: runLag,
}

async function runLag(size: Size): Promise<readonly Fact[]> {
  const lastsMs = size === 'full' ? 15_000 : 800
  const postgres = await OwnPostgres.start()
  const proxy = await TcpProxy.before(postgres.url)
  try {
    return await withEnvironment({ database: proxy.urlOf(postgres.url) }, async (environment) => {
      const faults: readonly Fault[] = [
        { name: 'two seconds late', lastsMs, breakIt: () => proxy.delay(2000), restoreIt: () => proxy.restore() },
        { name: 'locked by somebody', lastsMs, ...lockUsers(postgres, lastsMs) },
        { name: 'frozen', lastsMs, breakIt: () => postgres.signal('SIGSTOP'), restoreIt: () => postgres.signal('SIGCONT') },
        // Clients that are thrown out reconnect at once, so there may be no 503.
        { name: 'throws everybody out', lastsMs, atLeast503: 0, ...disconnectAll(postgres) },
      ]
      environment.load.begin()
      const facts: Fact[] = []
      for (const fault of faults) {
        const connections = countConnections(postgres)
        facts.push(...(await suffer(environment, fault)))
        facts.push(atMost(`${fault.name}: connections in PostgreSQL`, MOST_IN_POSTGRES, await connections.most()))
      }
      facts.push(...(await storm(environment, postgres, size === 'full' ? 1500 : 300)))
      await environment.load.end()
      return [...facts, ...(await factsOf(environment)), ...(await factsOfAccounts(postgres.url, environment.load))]
    })
  } finally {
    await proxy.close()
    await postgres.drop()
  }
}

/** Requests of somebody who is logged in, all at once, at one process, while PostgreSQL is frozen. */
async function storm({ load, bases, probe }: Environment, postgres: OwnPostgres, requests: number): Promise<readonly Fact[]> {
  const headers = { cookie: load.members[0]?.cookie ?? '' }
  postgres.signal('SIGSTOP')
  const asked = Array.from({ length: requests }, () => ask(`${bases[1]}/api/profile`, { headers }).catch(() => undefined))
  const answers = await Promise.all(asked)
  postgres.signal('SIGCONT')
  const { mostWaiting, mostConnections } = await probe()
  return [
    exactly('storm: requests', requests, answers.length),
    exactly('storm: answers other than 503', 0, answers.filter((answer) => answer?.status !== 503).length),
    atMost('most calls that waited for a connection of one process', MAX_WAITING, mostWaiting),
    atMost('most connections of one process', MAX_CONNECTIONS, mostConnections),
  ]
}

/** Somebody else locks a table and sleeps in it. */
function lockUsers(postgres: OwnPostgres, lastsMs: number): Pick<Fault, 'breakIt' | 'restoreIt'> {
  let held: Promise<void> = Promise.resolve()
  return {
    breakIt() {
      held = onServer(
        `BEGIN; LOCK TABLE guildhall_users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${lastsMs / 1000}); COMMIT`,
        postgres.url,
      )
    },
    restoreIt: () => held,
  }
}

/** Every connection is ended, five times a second. */
function disconnectAll(postgres: OwnPostgres): Pick<Fault, 'breakIt' | 'restoreIt'> {
  const sql =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
  let throwing: Promise<void> = Promise.resolve()
  let isOver = false
  return {
    breakIt() {
      throwing = (async () => {
        while (!isOver) {
          await onServer(sql, postgres.url)
          await sleep(200)
        }
      })()
    },
    async restoreIt() {
      isOver = true
      await throwing
    },
  }
}

/** How many connections of ours there are, looked at while a fault lasts. What is given up here may live on there. */
function countConnections(postgres: OwnPostgres): { most(): Promise<number> } {
  let most = 0
  let isOver = false
  const counting = (async () => {
    while (!isOver) {
      most = Math.max(most, (await postgres.connections()) ?? 0)
      await sleep(200)
    }
  })()
  return {
    async most() {
      isOver = true
      await counting
      return most
    },
  }
}
