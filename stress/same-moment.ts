// B-23: many log in from one address, and one member on many devices, at the same moment; only guessers are refused.
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './http-request.ts'
import { exactly, type Fact, type StressRun } from './result.ts'
import { type Served, withServers } from './serve.ts'
import { onEveryTarget, type StorageTarget } from './storage-targets.ts'

const RETRY_AFTER_MS = 1000
const PROCESSES = 4
const PASSWORD = 'granite lantern ferry'
/** More than a network and an account have places. */
const MEMBERS = 25
const DEVICES = 6
const GUESSES = 20
const PER_ACCOUNT = 5
/** An account may log in 60 times in an hour: after so many rounds others come. */
const ROUNDS_OF_A_CLASS = 60
const ROUNDS_OF_ONE = Math.floor(60 / DEVICES)

export const sameMoment: StressRun = {
  id: 'B-23',
  title: 'members of one address who log in at the same moment are all let in, by any of four processes',
  run: (size) => onEveryTarget((target) => measure(target, size === 'full' ? 1000 : 10)),
}

function measure(target: StorageTarget, rounds: number): Promise<readonly Fact[]> {
  // Addresses as a proxy reports them: each round has networks of its own.
  const settings = { TRUST_PROXY: '1', REGISTRATIONS_PER_HOUR: '100000' }
  return withServers(PROCESSES, { target, settings }, async (servers) => {
    let [refused, notExact, otherAnswers] = [0, 0, 0]
    const busy = { count: 0 }
    for (let round = 0; round < rounds; round++) {
      const classroom = Math.floor(round / ROUNDS_OF_A_CLASS)
      const one = Math.floor(round / ROUNDS_OF_ONE)
      if (round % ROUNDS_OF_A_CLASS === 0)
        for (let n = 0; n < MEMBERS; n++) await register(servers, busy, `member-${classroom}-${n}`)
      if (round % ROUNDS_OF_ONE === 0) await register(servers, busy, `devices-${one}`)
      const logIn = logInAt(servers, busy)
      const members = Array.from({ length: MEMBERS }, (_, n) => logIn(n, `member-${classroom}-${n}`, PASSWORD, address(round, 1)))
      const devices = Array.from({ length: DEVICES }, (_, n) => logIn(n, `devices-${one}`, PASSWORD, address(round, 2 + n)))
      const guesses = Array.from({ length: GUESSES }, (_, n) => logIn(n, `victim-${round}`, 'a guess', address(round, 100 + n)))
      refused += (await Promise.all([...members, ...devices])).filter((status) => status !== 200).length
      const answers = await Promise.all(guesses)
      if (answers.filter((status) => status === 401).length !== PER_ACCOUNT) notExact++
      otherAnswers += answers.filter((status) => status !== 401 && status !== 429).length
    }
    return [
      exactly(`rounds of ${MEMBERS + DEVICES} logins at once`, rounds, rounds),
      exactly('logins with the right password that were not let in', 0, refused),
      exactly(`bursts of guesses meanwhile of which not exactly ${PER_ACCOUNT} were looked at`, 0, notExact),
      exactly('guesses answered otherwise than 401 and 429', 0, otherAnswers),
      // It is none on a machine that has time for the stores; one that has not turns people away, and they come again.
      { ...exactly('answers 503, asked again', 0, busy.count), isTime: true },
    ]
  })
}

interface Busy {
  count: number
}

function logInAt(servers: readonly Served[], busy: Busy) {
  return (n: number, username: string, password: string, from: string): Promise<number> =>
    withRetry(`${servers[n % servers.length]?.base}/api/login`, { username, password }, from, busy)
}

async function register([server]: readonly Served[], busy: Busy, username: string): Promise<void> {
  const body = { username, password: PASSWORD }
  const status = await withRetry(`${server?.base}/api/register`, body, '10.255.255.1', busy)
  // After a 503 nobody knows whether the account was made.
  if (status !== 201 && status !== 409) throw new Error(`${username} could not register: ${status}`)
}

/** A request refused because the server or its store is too busy is repeated, as the answer says. */
async function withRetry(url: string, body: object, from: string, busy: Busy): Promise<number> {
  for (;;) {
    const { status } = await ask(url, { body, headers: { 'x-forwarded-for': from } })
    if (status !== 503) return status
    busy.count++
    await sleep(RETRY_AFTER_MS)
  }
}

function address(round: number, host: number): string {
  return `10.${round >> 8}.${round & 255}.${host}`
}
