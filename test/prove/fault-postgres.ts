// F-10, F-11: PostgreSQL crashes, is slow, locked, frozen, throws everybody out, and hands over to another server, under people who work.
import { setTimeout as sleep } from 'node:timers/promises'
import { OwnPostgres } from '../support/own-postgres.ts'
import { onServer } from '../support/postgres-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { inDatabase } from '../support/looking.ts'
import { factsOfAccounts } from './fault-accounts.ts'
import { type Fault, factsOf, suffer, withTown } from './fault-town.ts'
import { atMost, type Fact, type Proof, type Size } from './proof.ts'

export const postgresStops: Proof = {
  id: 'F-10',
  title: 'PostgreSQL crashes under load and comes back: 503 in time, nobody is somebody else, nothing that was answered is lost',
  run: proveStop,
}

async function proveStop(size: Size): Promise<readonly Fact[]> {
  const postgres = await OwnPostgres.start()
  try {
    return await withTown({ database: postgres.url }, async (town) => {
      town.crowd.begin()
      const facts = await suffer(town, {
        name: 'stopped',
        lastsMs: size === 'full' ? 30_000 : 3000,
        breakIt: () => postgres.stop('immediate'),
        mendIt: () => postgres.start(),
      })
      await sleep(size === 'full' ? 3000 : 500)
      await town.crowd.end()
      return [...facts, ...(await factsOf(town)), ...(await factsOfAccounts(postgres.url, town.crowd))]
    })
  } finally {
    await postgres.drop()
  }
}

export const postgresLags: Proof = {
  id: 'F-11',
  title: 'PostgreSQL is slow, locked, frozen or throws everybody out: 503 in time, nothing is done twice, nothing piles up',
  run: proveLag,
}

async function proveLag(size: Size): Promise<readonly Fact[]> {
  const lastsMs = size === 'full' ? 15_000 : Number(process.env.MS ?? 1500)
  const postgres = await OwnPostgres.start()
  const proxy = await TcpProxy.before(postgres.url)
  const mendIt = () => proxy.mend()
  const locking = lockUsers(postgres, lastsMs)
  const throwing = throwOut(postgres)
  const faults: readonly Fault[] = [
    { name: 'two seconds late', lastsMs, breakIt: () => proxy.delay(2000), mendIt },
    { name: 'locked by somebody', lastsMs, ...locking },
    { name: 'frozen', lastsMs, breakIt: () => postgres.signal('SIGSTOP'), mendIt: () => postgres.signal('SIGCONT') },
    // Who is thrown out is back at once: it may be that nobody is turned away.
    { name: 'throws everybody out', lastsMs, atLeast503: 0, ...throwing },
  ]
  try {
    return await withTown({ database: proxy.urlOf(postgres.url) }, async (town) => {
      town.crowd.begin()
      const facts: Fact[] = []
      for (const fault of faults) {
        facts.push(...(await suffer(town, fault)))
        console.log(fault.name, await inDatabase({ database: postgres.url }, "SELECT count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend'"))
      }
      await town.crowd.end()
      return [...facts, ...(await factsOf(town)), ...(await factsOfAccounts(postgres.url, town.crowd))]
    })
  } finally {
    await proxy.close()
    await postgres.drop()
  }
}

/** Somebody else locks a table and sleeps in it. */
function lockUsers(postgres: OwnPostgres, lastsMs: number): Pick<Fault, 'breakIt' | 'mendIt'> {
  let held: Promise<void> = Promise.resolve()
  return {
    breakIt() {
      held = onServer(`BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${lastsMs / 1000}); COMMIT`, postgres.url)
    },
    mendIt: () => held,
  }
}

/** Every connection is ended, five times a second. */
function throwOut(postgres: OwnPostgres): Pick<Fault, 'breakIt' | 'mendIt'> {
  const sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
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
    async mendIt() {
      isOver = true
      await throwing
    },
  }
}
