// A refused login takes the same time for every account: the time reveals no more than the text.
import { expect, test } from 'vitest'
import type { PasswordHasher } from '../../src/passwords/hasher.ts'
import { inDatabase, siteOfTest } from '../support/artifacts.ts'
import type { Site } from '../support/site.ts'
import { areDistinguishable } from '../support/statistics.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'

const TRIES = {
  unknown: { username: 'nobody-here', password: 'wrong, all wrong' },
  wrong: { username: 'active-anna', password: 'wrong, all wrong' },
  suspended: { username: 'closed-cora', password: GOOD_PASSWORD },
} as const

type Kind = keyof typeof TRIES
type Samples = Record<Kind, number[]>

/** Every order, so that no kind has a fixed one before it. */
const ORDERS = [
  ['unknown', 'wrong', 'suspended'],
  ['suspended', 'wrong', 'unknown'],
  ['wrong', 'unknown', 'suspended'],
  ['suspended', 'unknown', 'wrong'],
  ['unknown', 'suspended', 'wrong'],
  ['wrong', 'suspended', 'unknown'],
] as const
const SAMPLES = process.env.REQUIRE_ALL === '1' ? 300 : 150
const WARM_UP = 30
const ROUNDS = 3

/** Times in milliseconds, one of each kind after the other, so that whatever else the machine does falls on all alike. */
async function sample(site: Site, size: number): Promise<Samples> {
  const visitor = site.visitor()
  const samples: Samples = { unknown: [], wrong: [], suspended: [] }
  for (let n = 0; n < size + WARM_UP; n++) {
    for (const kind of ORDERS[n % ORDERS.length] ?? []) {
      const startedAt = performance.now()
      const { status } = await visitor.api('/login', TRIES[kind])
      const ms = performance.now() - startedAt
      expect(status).toBe(401)
      if (n >= WARM_UP) samples[kind].push(ms)
    }
  }
  return samples
}

/** Which pairs can be distinguished by time. */
function distinguishable(samples: Samples): readonly string[] {
  const pairs = [['unknown', 'wrong'], ['unknown', 'suspended'], ['wrong', 'suspended']] as const // biome-ignore format: three pairs
  return pairs.filter(([a, b]) => areDistinguishable(samples[a], samples[b])).map(([a, b]) => `${a} and ${b}`)
}

async function siteWithPeople(): Promise<Site> {
  // A hash of a few milliseconds: a difference would be larger than the noise.
  const site = await siteOfTest({ passwords: { memoryKiB: 4096, passes: 1, workers: 1 } })
  for (const username of ['active-anna', 'closed-cora']) await site.visitor().register(username)
  await inDatabase(site, "UPDATE guildhall_users SET status = 'suspended' WHERE username = 'closed-cora'")
  return site
}

test('B-02 unknown, mistyped and suspended take the same time', { timeout: 120_000 }, async () => {
  const site = await siteWithPeople()
  const rounds: (readonly string[])[] = []
  do rounds.push(distinguishable(await sample(site, SAMPLES)))
  while (rounds.at(-1)?.length !== 0 && rounds.length < ROUNDS)
  expect(rounds.at(-1)).toEqual([])
})

test('B-02 this bound would catch a site that answers for an unknown name at once', { timeout: 120_000 }, async () => {
  const site = await siteWithPeople()
  const { passwords } = site.core
  const hasty: PasswordHasher = {
    ...passwords,
    verify: async (stored, password) => stored !== undefined && passwords.verify(stored, password),
  }
  Object.assign(site.core, { passwords: hasty })
  expect(distinguishable(await sample(site, 100))).toEqual(expect.arrayContaining(['unknown and wrong', 'unknown and suspended']))
})
