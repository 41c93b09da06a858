// Asking for a link takes as long for everybody, and so does whatever is asked in the seconds after it.
import { expect, test } from 'vitest'
import { type MailSite, mailSiteOfTest, userWith } from '../support/site-with-mail.ts'
import { areDistinguishable } from '../support/statistics.ts'

const KINDS = ['unknown', 'known', 'unproven', 'suspended'] as const
type Kind = (typeof KINDS)[number]

const SAMPLES = process.env.REQUIRE_ALL === '1' ? 300 : 60
const WARM_UP = 20
const ROUNDS = 3

interface Times {
  readonly asking: number[]
  /** Of any other request, right after. */
  readonly next: number[]
}

/** Each is asked about once, so that no limit drops a mail. */
async function siteWithPeople(): Promise<MailSite> {
  const site = await mailSiteOfTest()
  for (let n = 0; n < (SAMPLES + WARM_UP) * ROUNDS; n++) {
    await userWith(site, `known-${n}`, { hasPassword: false })
    await userWith(site, `unproven-${n}`, { hasPassword: false, isProven: false })
    const user = await userWith(site, `suspended-${n}`, { hasPassword: false })
    await site.membership.users.setStatus(user.id, 'suspended')
  }
  return site
}

async function sample(site: MailSite, round: number, afterwards: () => Promise<void> | undefined): Promise<Record<Kind, Times>> {
  const visitor = site.visitor()
  const times: Record<Kind, Times> = {
    unknown: { asking: [], next: [] },
    known: { asking: [], next: [] },
    unproven: { asking: [], next: [] },
    suspended: { asking: [], next: [] },
  }
  const timed = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now()
    await work()
    return performance.now() - startedAt
  }
  for (let n = 0; n < SAMPLES + WARM_UP; n++) {
    // Another order each time, so that no kind has a fixed one before it.
    for (let at = 0; at < KINDS.length; at++) {
      const kind = KINDS[(at * (n % 2 === 0 ? 1 : 3) + n) % KINDS.length] ?? 'unknown'
      const identifier = `${kind}-${round * (SAMPLES + WARM_UP) + n}`
      const asking = await timed(() => visitor.api('/forgot-password', { identifier }))
      site.clock.forward('3s')
      const working = afterwards()
      const next = await timed(() => visitor.api('/profile'))
      await working
      if (n < WARM_UP) continue
      times[kind].asking.push(asking)
      times[kind].next.push(next)
    }
  }
  return times
}

function distinguishable(times: Record<Kind, Times>): readonly string[] {
  return KINDS.slice(1).flatMap((kind) =>
    (['asking', 'next'] as const)
      .filter((part) => areDistinguishable(times.unknown[part], times[kind][part]))
      .map((part) => `unknown and ${kind}, ${part}`),
  )
}

test('B-04 known and unknown, proven or not, suspended or not, take the same time, and so does the next request', {
  timeout: 240_000,
}, async () => {
  const site = await siteWithPeople()
  const rounds: (readonly string[])[] = []
  do rounds.push(distinguishable(await sample(site, rounds.length, () => undefined)))
  while (rounds.at(-1)?.length !== 0 && rounds.length < ROUNDS)
  expect(rounds.at(-1)).toEqual([])
})

test('B-04 this bound would catch an outbox that begins as soon as somebody has asked', { timeout: 240_000 }, async () => {
  const site = await siteWithPeople()
  const times = await sample(site, 0, () => site.outbox?.run())
  expect(distinguishable(times)).toContain('unknown and known, next')
})
