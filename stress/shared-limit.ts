// B-09, B-10: four processes count together: of a stampede of guesses exactly as many as allowed are judged.
import { type Asking, ask } from './http-request.ts'
import { exactly, type Fact, type StressRun } from './result.ts'
import { type Served, withServers } from './serve.ts'
import { onEveryTarget } from './storage-targets.ts'

const PROCESSES = 4
const GUESSES = 200
const PER_NETWORK = 20
const PER_ACCOUNT = 5
// Behind a proxy /metrics needs it.
const METRICS_TOKEN = 'a-token-that-nobody-but-the-run-knows'

export const sharedLimit: StressRun = {
  id: 'B-09, B-10',
  title: 'four processes that share a database share its limits exactly',
  run: (size) => measure(size === 'full' ? 100 : 1),
}

function measure(rounds: number): Promise<readonly Fact[]> {
  // Addresses as a proxy reports them: each round has networks of its own.
  return onEveryTarget((target) =>
    withServers(PROCESSES, { target, settings: { TRUST_PROXY: '1', METRICS_TOKEN } }, async (servers) => {
      let wrongNetworks = 0
      let wrongAccounts = 0
      let otherAnswers = 0
      const hashesBefore = await hashesOf(servers)
      for (let round = 0; round < rounds; round++) {
        const fromOneNetwork = await stampede(servers, (guess) => ({
          username: `nobody-${round}-${guess}`,
          network: address(round, 1),
        }))
        if (fromOneNetwork.lookedAt !== PER_NETWORK) wrongNetworks++
        const atOneAccount = await stampede(servers, (guess) => ({
          username: `victim-${round}`,
          network: address(round, guess + 2),
        }))
        if (atOneAccount.lookedAt !== PER_ACCOUNT) wrongAccounts++
        otherAnswers += fromOneNetwork.others + atOneAccount.others
      }
      const hashes = (await hashesOf(servers)) - hashesBefore
      return [
        exactly('bursts of 200 guesses', rounds * 2, rounds * 2),
        exactly(`bursts from one network of which not exactly ${PER_NETWORK} were looked at`, 0, wrongNetworks),
        exactly(`bursts at one account of which not exactly ${PER_ACCOUNT} were looked at`, 0, wrongAccounts),
        exactly('password hashes computed', rounds * (PER_NETWORK + PER_ACCOUNT), hashes),
        exactly('answers other than 401 and 429', 0, otherAnswers),
      ]
    }),
  )
}

interface Guess {
  readonly username: string
  readonly network: string
}

/** All at once, spread over the processes. */
async function stampede(
  servers: readonly Served[],
  guess: (number: number) => Guess,
): Promise<{ lookedAt: number; others: number }> {
  const answers = await Promise.all(
    Array.from({ length: GUESSES }, (_, number) => {
      const { username, network } = guess(number)
      const asking: Asking = { body: { username, password: 'not the password' }, headers: { 'x-forwarded-for': network } }
      return ask(`${servers[number % servers.length]?.base}/api/login`, asking)
    }),
  )
  const lookedAt = answers.filter(({ status }) => status === 401).length
  const rejected = answers.filter(({ status }) => status === 429).length
  return { lookedAt, others: answers.length - lookedAt - rejected }
}

function address(round: number, host: number): string {
  return `10.${round >> 4}.${((round & 15) << 4) | (host >> 8)}.${host & 255}`
}

/** The servers' own count, as operators see it. */
async function hashesOf(servers: readonly Served[]): Promise<number> {
  const counts = await Promise.all(
    servers.map(async ({ base }) => {
      const { text } = await ask(`${base}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })
      return Number(/^guildhall_password_hashes_total (\d+)$/m.exec(text)?.[1])
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}
