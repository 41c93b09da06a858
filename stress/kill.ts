// F-01, F-05: the server is killed during registrations: what was answered is there, and nothing is half there.
import { DatabaseSync } from 'node:sqlite'
import { freePort } from '../test/support/program.ts'
import { ask } from './http-request.ts'
import { atLeast, exactly, type StressRun, underMs } from './result.ts'
import { serve } from './serve.ts'
import { fileOf, withTarget } from './storage-targets.ts'

const CLIENTS = 8
const PACE_MS = 40 // Eight clients, one registration each 40 ms: 200 a second.
const READY_MS = 2000
const MOST_ANSWERS = 20
const LONGEST_ROUND_MS = 60_000
const PASSWORD = 'granite lantern ferry'

export const killed: StressRun = {
  id: 'F-01, F-05',
  title: 'kill -9 under registrations loses no account that was answered and leaves none that is half made',
  run: (size) => measure(size === 'full' ? 200 : 2),
}

function measure(rounds: number) {
  return withTarget('SQLite', async (target) => {
    const file = fileOf(target)
    const options = { target, port: await freePort(), settings: { RATE_LIMIT: 'off' } }
    let answered = 0
    let missing = 0
    let refused = 0
    let unexpected = 0
    const startsMs: number[] = []
    let halves = 0
    let server = await serve(options)
    try {
      for (let round = 0; round < rounds; round++) {
        // At random, but not in time: a busy machine would have answered nobody yet.
        const killAfter = 1 + Math.floor(Math.random() * MOST_ANSWERS)
        const registering = registerUntilItDies(server.base, round, killAfter)
        await registering.enough
        await new Promise((done) => setTimeout(done, Math.random() * PACE_MS))
        await server.kill('SIGKILL')
        const { names, otherAnswers } = await registering.ended
        answered += names.length
        unexpected += otherAnswers
        missing += names.length - countAccounts(file, names)
        halves += countHalves(file)

        server = await serve(options)
        startsMs.push(server.startMs)
        for (const name of names) {
          const login = await ask(`${server.base}/api/login`, { body: { username: name, password: PASSWORD } })
          if (login.status !== 200) refused++
        }
      }
    } finally {
      await server.kill()
    }
    return [
      exactly('kills', rounds, rounds),
      atLeast('registrations answered 201', rounds, answered),
      exactly('answered accounts that are missing', 0, missing),
      exactly('answered accounts that cannot log in', 0, refused),
      exactly('half accounts', 0, halves),
      exactly('answers other than 201', 0, unexpected),
      exactly('faults that SQLite finds in the file', 0, countFaults(file)),
      underMs('usual start after a kill (median)', READY_MS, startsMs.toSorted((a, b) => a - b)[startsMs.length >> 1] ?? 0),
      underMs('slowest start after a kill', READY_MS, Math.max(...startsMs)),
    ]
  })
}

interface Registering {
  /** So many were answered, or it took too long. */
  readonly enough: Promise<void>
  /** The connections broke: usernames answered 201, and the number of other answers. */
  readonly ended: Promise<{ readonly names: readonly string[]; readonly otherAnswers: number }>
}

/** Registers new names until the connections break. */
function registerUntilItDies(base: string, round: number, wanted: number): Registering {
  const names: string[] = []
  let otherAnswers = 0
  const enough = Promise.withResolvers<void>()
  const timer = setTimeout(enough.resolve, LONGEST_ROUND_MS)
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let count = 0; ; count++) {
      const username = `person-${round}-${client}-${count}`
      const answer = await ask(`${base}/api/register`, { body: { username, password: PASSWORD } }).catch(() => undefined)
      if (answer === undefined) return
      if (answer.status === 201) names.push(username)
      else otherAnswers++
      if (names.length >= wanted) enough.resolve()
      await new Promise((done) => setTimeout(done, PACE_MS))
    }
  })
  const ended = Promise.all(clients).then(() => {
    clearTimeout(timer)
    return { names, otherAnswers }
  })
  return { enough: enough.promise, ended }
}

function countAccounts(file: string, names: readonly string[]): number {
  return inFile(file, (database) => {
    const find = database.prepare(
      "SELECT 1 FROM guildhall_users JOIN guildhall_credentials ON user_id = guildhall_users.id AND kind = 'password' WHERE username_key = ?",
    )
    return names.filter((name) => find.get(name) !== undefined).length
  })
}

/** Users without a password, passwords and sessions without a user, accounts of which the audit trail knows nothing. */
function countHalves(file: string): number {
  return inFile(file, (database) =>
    [
      'guildhall_users WHERE id NOT IN (SELECT user_id FROM guildhall_credentials)',
      'guildhall_credentials WHERE user_id NOT IN (SELECT id FROM guildhall_users)',
      'guildhall_sessions WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM guildhall_users)',
      "guildhall_users WHERE id NOT IN (SELECT user_id FROM guildhall_audit WHERE event = 'registered' AND user_id IS NOT NULL)",
    ].reduce((sum, what) => sum + Number(database.prepare(`SELECT count(*) AS n FROM ${what}`).get()?.n), 0),
  )
}

function countFaults(file: string): number {
  return inFile(file, (database) => {
    const lines = database.prepare('PRAGMA integrity_check').all()
    return lines.filter((line) => line.integrity_check !== 'ok').length
  })
}

function inFile<T>(file: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file)
  try {
    return work(database)
  } finally {
    database.close()
  }
}
