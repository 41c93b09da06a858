// E-02, F-20: eight processes take registrations of one name at the same moment; one person gets it.
import { DatabaseSync } from 'node:sqlite'
import { ask } from './ask.ts'
import { atLeast, exactly, type Proof } from './proof.ts'
import { type Served, withFile, withServers } from './serve.ts'

const PROCESSES = 8
const EACH = 125

export const oneName: Proof = {
  id: 'E-02, F-20',
  title: 'one name registered from eight processes at once, in every spelling, becomes one account',
  run: (size) => prove(size === 'full' ? 100 : 1),
}

function prove(rounds: number) {
  return withFile((file) =>
    withServers(PROCESSES, { file, settings: { RATE_LIMIT: 'off' } }, async (servers) => {
      const statuses = new Map<number, number>()
      let roundsWithOneWinner = 0
      for (let round = 0; round < rounds; round++) {
        const answered = await race(servers, `racer-${round}`)
        for (const status of answered) statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (answered.filter((status) => status === 201).length === 1) roundsWithOneWinner++
      }
      const asked = rounds * PROCESSES * EACH
      const taken = statuses.get(409) ?? 0
      return [
        atLeast(
          'registrations',
          asked,
          [...statuses.values()].reduce((sum, n) => sum + n, 0),
        ),
        exactly('rounds with exactly one 201', rounds, roundsWithOneWinner),
        exactly('answers 409', asked - rounds, taken),
        exactly(
          'answers 5xx',
          0,
          sum(statuses, (status) => status >= 500),
        ),
        exactly(
          'other answers',
          0,
          sum(statuses, (status) => status !== 201 && status !== 409 && status < 500),
        ),
        ...rowsOf(file, rounds),
      ]
    }),
  )
}

async function race(servers: readonly Served[], name: string): Promise<number[]> {
  const registrations = servers.flatMap(({ base }, process) =>
    Array.from({ length: EACH }, (_, at) => {
      const username = spelling(name, process * EACH + at)
      return ask(`${base}/api/register`, { body: { username, password: 'granite lantern ferry' } })
    }),
  )
  return (await Promise.all(registrations)).map(({ status }) => status)
}

/** The bits of the number decide which letters are capital. */
function spelling(name: string, number: number): string {
  return [...name].map((letter, at) => (number & (1 << at) ? letter.toUpperCase() : letter)).join('')
}

function rowsOf(file: string, rounds: number) {
  const database = new DatabaseSync(file, { readOnly: true })
  const count = (sql: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.n)
  const facts = [
    exactly('accounts', rounds, count('users')),
    exactly('passwords', rounds, count('credentials')),
    exactly('sessions of those who won', rounds, count('sessions')),
  ]
  database.close()
  return facts
}

function sum(statuses: ReadonlyMap<number, number>, fits: (status: number) => boolean): number {
  return [...statuses].reduce((total, [status, n]) => total + (fits(status) ? n : 0), 0)
}
