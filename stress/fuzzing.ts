// I-15: fuzzed requests to every operation of the API: each answer is as described, and none is a 5xx.
import { ask } from '../test/security/wire.ts'
import { Contract, type Described } from '../test/support/api-contract.ts'
import { bodyOf, sendFuzzed, type Tally } from '../test/support/api-requests.ts'
import { atLeast, exactly, type Fact, type StressRun } from './result.ts'
import { serve } from './serve.ts'
import { withTarget } from './storage-targets.ts'

const AT_ONCE = 16

export const fuzzing: StressRun = {
  id: 'I-15',
  title: 'whatever is sent to the API, the answer is as /openapi.json says and no 5xx',
  run: (size) => measure(size === 'full' ? 100_000 : 1000),
}

function measure(requests: number): Promise<readonly Fact[]> {
  return withTarget('SQLite', async (target) => {
    // The hash queue is longer than what is asked at once: no request has to be refused.
    const server = await serve({ target, settings: { RATE_LIMIT: 'off' } })
    try {
      const { text } = await ask(server.base, '/openapi.json')
      const contract = new Contract(JSON.parse(text))
      const { operations } = contract
      // Nobody guesses a token.
      const open = operations.filter((described) => !needsMailedLink(described))
      const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
      const tally = await sendFuzzed(server.base, contract, {
        each: Math.ceil(requests / operations.length),
        seed,
        atOnce: AT_ONCE,
      })
      for (const fault of tally.faults) console.error(`SEED=${seed}`, fault)
      return [
        atLeast('requests, as many for each operation', requests, tally.requests),
        exactly(
          'operations that /openapi.json describes, that need no mailed link, and that no request succeeded at',
          0,
          open.filter((described) => !tally.succeeded.has(described)).length,
        ),
        exactly('answers that are not as /openapi.json says', 0, tally.faults.length),
        atLeast('answers 2xx', requests / 10, answers(tally, 2)),
        exactly('answers 3xx', 0, answers(tally, 3)),
        atLeast('answers 4xx', requests / 10, answers(tally, 4)),
        exactly('answers 5xx', 0, answers(tally, 5)),
      ]
    } finally {
      await server.kill()
    }
  })
}

function needsMailedLink({ operation }: Described): boolean {
  return 'token' in Object(bodyOf(operation)?.example ?? {})
}

function answers({ statuses }: Tally, hundred: number): number {
  return [...statuses].reduce((sum, [status, times]) => (Math.floor(status / 100) === hundred ? sum + times : sum), 0)
}
