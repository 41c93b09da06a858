// Every stress run at a hundredth of their size, and that the harness sees what it looks for.
import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../src/session/index.ts'
import type { SessionPatch, SessionRow } from '../src/session/store.ts'
import { describeWith } from '../test/support/needs.ts'
import { stressRuns } from './all.ts'
import { raceLogouts } from './logout-race.ts'
import { raceServerOn } from './race-environment.ts'
import { localSite } from './race-sites.ts'
import { isExplained, type Operation, STEPS } from './sequential-model.ts'

describe('stress runs, at a hundredth of their size', () => {
  for (const { id, title, needs = [], run } of stressRuns) {
    describeWith(needs, id, () => {
      test(title, { timeout: 600_000 }, async () => {
        const facts = await run('ci')
        const broken = facts.filter(({ holds, isTime }) => !holds && !isTime)
        expect(broken).toEqual([])
      })
    })
  }
})

/** As many stores do it: a save writes the session whether or not it is there. */
class UpsertStore extends MemoryStore {
  readonly #seen = new Map<string, SessionRow>()

  override create(row: SessionRow): void {
    this.#seen.set(row.hash, row)
    super.create(row)
  }

  override update(hash: string, patch: SessionPatch): boolean {
    const row = this.#seen.get(hash)
    if (row && this.find(hash) === undefined) super.create(row)
    return super.update(hash, patch)
  }
}

test('D-22, F-30: a store that writes without looking brings sessions back, and the race finds it', async () => {
  const site = localSite('a store that upserts', await raceServerOn(new UpsertStore()))
  const seen = await raceLogouts(site, 4)
  await site.close()
  expect(seen).toMatchObject({ logouts: 4, cameBack: 4, letIn: 4 })
})

describe('F-50 the model of an account', () => {
  const did = (startedAt: number, endedAt: number, steps: Operation['steps']): Operation => ({
    text: '',
    startedAt,
    endedAt,
    steps,
  })
  const registered = did(0, 1, STEPS.registered('one', 'a'))

  test.each<[string, Operation[]]>([
    ['a session that lives after its logout', [did(2, 3, STEPS.loggedOut('a')), did(4, 5, STEPS.member('a'))]],
    ['an account that is made twice', [did(2, 3, STEPS.registered('two', 'b'))]],
    [
      'a login with the password of before',
      [did(2, 3, STEPS.changed('one', 'two', 'a', 'b')), did(4, 5, STEPS.loggedIn('one', 'c'))],
    ],
    ['a session of before a change that lives', [did(2, 3, STEPS.changed('one', 'two', 'a', 'b')), did(4, 5, STEPS.member('a'))]],
    ['a member who is taken for a stranger', [did(2, 3, STEPS.stranger('a'))]],
    [
      'a change that came half, after a crash',
      [
        did(2, Infinity, STEPS.changed('one', 'two', 'a', undefined)),
        did(4, 5, STEPS.stranger('a')),
        did(6, 7, STEPS.loggedIn('one', 'c')),
      ],
    ],
  ])('explains no history with %s', (_, operations) => {
    expect(isExplained([registered, ...operations])).toBe(false)
  })

  test.each<[string, Operation[]]>([
    [
      'a read beside a logout, with either answer',
      [did(2, 5, STEPS.loggedOut('a')), did(3, 4, STEPS.member('a')), did(3, 6, STEPS.stranger('a'))],
    ],
    [
      'a login beside a change of the password, whose session is dead',
      [did(2, 5, STEPS.changed('one', 'two', 'a', 'b')), did(3, 4, STEPS.loggedIn('one', 'c')), did(6, 7, STEPS.stranger('c'))],
    ],
    [
      'a change that a crash may have lost, and has',
      [did(2, Infinity, STEPS.changed('one', 'two', 'a', undefined)), did(4, 5, STEPS.member('a'))],
    ],
    [
      'a change that a crash may have lost, and has not',
      [did(2, Infinity, STEPS.changed('one', 'two', 'a', undefined)), did(4, 5, STEPS.loggedIn('two', 'c'))],
    ],
  ])('explains %s', (_, operations) => {
    expect(isExplained([registered, ...operations])).toBe(true)
  })
})
