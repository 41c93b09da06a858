// E-02, F-20: several processes take registrations of one name at the same moment; one person gets it.
import { setTimeout as sleep } from 'node:timers/promises'
import { countRows } from '../test/support/database-inspector.ts'
import { ask } from './http-request.ts'
import { atLeast, atMost, exactly, type Fact, type StressRun } from './result.ts'
import { type Served, withServers } from './serve.ts'
import { onEveryTarget, type StorageTarget } from './storage-targets.ts'

export const oneName: StressRun = {
  id: 'E-02, F-20',
  title: 'one name registered from several processes at once, in every spelling, becomes one account',
  run: (size) =>
    onEveryTarget((target) => measure(target, size === 'full' ? { rounds: 100, together: 1000 } : { rounds: 1, together: 250 })),
}

const RETRY_AFTER_MS = 1000

interface Race {
  readonly rounds: number
  /** Registrations of one name at the same moment. */
  readonly together: number
}

function measure(target: StorageTarget, { rounds, together }: Race): Promise<readonly Fact[]> {
  // Each may take ten of the hundred connections that PostgreSQL has.
  const processes = target.name === 'SQLite' ? 8 : 4
  return withServers(processes, { target, settings: { RATE_LIMIT: 'off' } }, async (servers) => {
    const statuses = new Map<number, number>()
    let [roundsWithOneWinner, winners, rejected] = [0, 0, 0]
    for (let round = 0; round < rounds; round++) {
      const { answered, busy } = await race(servers, `racer-${round}`, together)
      for (const status of answered) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const won = answered.filter((status) => status === 201).length
      // Of a winner whose store was late with its answer nobody can say more than 503: the account is there, and the name is taken.
      if (won === 1 || (won === 0 && busy > 0)) roundsWithOneWinner++
      winners += won
      rejected += busy
    }
    const count = (fits: (status: number) => boolean) => sum(statuses, fits)
    const asked = rounds * together
    return [
      exactly('processes', processes, servers.length),
      atLeast(
        'registrations',
        asked,
        count(() => true),
      ),
      exactly('rounds with exactly one winner', rounds, roundsWithOneWinner),
      // It is none on a machine that has time for the stores; one that has not turns people away, and they come again.
      { ...exactly('answers 503, asked again', 0, rejected), isTime: true },
      exactly(
        'answers 409',
        asked - winners,
        count((status) => status === 409),
      ),
      exactly(
        'answers 5xx',
        0,
        count((status) => status >= 500),
      ),
      exactly(
        'other answers',
        0,
        count((status) => status !== 201 && status !== 409 && status < 500),
      ),
      exactly('accounts', rounds, await countRows(target, 'users')),
      exactly('passwords', rounds, await countRows(target, 'credentials')),
      atLeast('sessions of those who won', winners, await countRows(target, 'sessions')),
      atMost('sessions', rounds, await countRows(target, 'sessions')),
    ]
  })
}

interface Answered {
  readonly answered: readonly number[]
  readonly busy: number
}

/** All at once, spread over the processes. A refused request is repeated, as the answer says. */
async function race(servers: readonly Served[], name: string, together: number): Promise<Answered> {
  let busy = 0
  const registrations = Array.from({ length: together }, async (_, at) => {
    const body = { username: spelling(name, at), password: 'granite lantern ferry' }
    for (;;) {
      const { status } = await ask(`${servers[at % servers.length]?.base}/api/register`, { body })
      if (status !== 503) return status
      busy++
      await sleep(RETRY_AFTER_MS)
    }
  })
  return { answered: await Promise.all(registrations), busy }
}

/** The bits of the number decide which letters are capital. */
function spelling(name: string, number: number): string {
  return [...name].map((letter, at) => (number & (1 << at) ? letter.toUpperCase() : letter)).join('')
}

function sum(statuses: ReadonlyMap<number, number>, fits: (status: number) => boolean): number {
  return [...statuses].reduce((total, [status, n]) => total + (fits(status) ? n : 0), 0)
}
