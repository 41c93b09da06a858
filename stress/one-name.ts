// E-02, F-20: several processes take registrations of one name at the same moment; one person gets it.
import { countRows } from '../test/support/database-inspector.ts'
import { ask } from './ask.ts'
import { atLeast, exactly, type Fact, type StressRun } from './result.ts'
import { type Served, withServers } from './serve.ts'
import { onEveryTarget, type StorageTarget } from './storage-targets.ts'

export const oneName: StressRun = {
  id: 'E-02, F-20',
  title: 'one name registered from several processes at once, in every spelling, becomes one account',
  run: (size) =>
    onEveryTarget((target) => measure(target, size === 'full' ? { rounds: 100, together: 1000 } : { rounds: 1, together: 250 })),
}

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
    let roundsWithOneWinner = 0
    for (let round = 0; round < rounds; round++) {
      const answered = await race(servers, `racer-${round}`, together)
      for (const status of answered) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (answered.filter((status) => status === 201).length === 1) roundsWithOneWinner++
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
      exactly('rounds with exactly one 201', rounds, roundsWithOneWinner),
      exactly(
        'answers 409',
        asked - rounds,
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
      exactly('sessions of those who won', rounds, await countRows(target, 'sessions')),
    ]
  })
}

/** All at once, spread over the processes. */
async function race(servers: readonly Served[], name: string, together: number): Promise<number[]> {
  const registrations = Array.from({ length: together }, (_, at) => {
    const body = { username: spelling(name, at), password: 'granite lantern ferry' }
    return ask(`${servers[at % servers.length]?.base}/api/register`, { body })
  })
  return (await Promise.all(registrations)).map(({ status }) => status)
}

/** The bits of the number decide which letters are capital. */
function spelling(name: string, number: number): string {
  return [...name].map((letter, at) => (number & (1 << at) ? letter.toUpperCase() : letter)).join('')
}

function sum(statuses: ReadonlyMap<number, number>, fits: (status: number) => boolean): number {
  return [...statuses].reduce((total, [status, n]) => total + (fits(status) ? n : 0), 0)
}
