// Every stress run at a hundredth of their size, and that the harness sees what it looks for.
import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../src/session/index.ts'
import type { SessionPatch, SessionRow } from '../src/session/store.ts'
import { describeWith } from '../test/support/needs.ts'
import { stressRuns } from './all.ts'
import { raceLogouts } from './logout-race.ts'
import { raceServerOn } from './race-environment.ts'
import { localSite } from './race-sites.ts'

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
