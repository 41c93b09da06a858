// What a login rests on changes once for each change, whatever else changes at the same time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditEvent } from '../../src/core/audit.ts'
import { OPERATOR } from '../../src/core/caller.ts'
import { type ChangeOf, credentialsChanged } from '../../src/core/credentials-changed.ts'
import { recentActivity } from '../../src/storage/audit.ts'
import { bind } from '../../src/storage/statement.ts'
import { raiseEpoch, setDisplayName } from '../../src/storage/users.ts'
import { openSite, type Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})

afterAll(() => site.close())

const because = auditEvent('status_changed')
const nothingElse = { because, statements: [] }

const epochOf = async (id: string) => (await site.core.db.findUser(id))?.credentialEpoch

/** Another process is faster. */
async function raiseFrom(id: string, from: number): Promise<void> {
  await site.core.db.transaction([bind(raiseEpoch, { id, from })])
}

test('F-23 of a hundred changes of one user at once none is lost, and each raises the epoch', async () => {
  const { id } = await site.membership.users.create({ username: 'busy' })
  const seen: number[] = []
  const change: ChangeOf = ({ credentialEpoch }) => {
    seen.push(credentialEpoch)
    return nothingElse
  }
  await Promise.all(Array.from({ length: 100 }, () => credentialsChanged(site.core, id, change, OPERATOR)))
  expect(await epochOf(id)).toBe(101)
  expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
  expect(await site.core.db.all(recentActivity, { userId: id, limit: 1000 })).toHaveLength(101)
})

test('F-23 of a hundred changes of status at once, each that changes something raises the epoch, and the last one holds', async () => {
  const { users } = site.membership
  const { id } = await users.create({ username: 'flicker' })
  await Promise.all(Array.from({ length: 100 }, (_, n) => users.setStatus('flicker', n % 2 === 0 ? 'suspended' : 'active')))
  const { status } = await users.show('flicker')
  const entries = await site.core.db.all(recentActivity, { userId: id, limit: 1000 })
  const changes = entries.filter(({ event }) => event === 'status_changed').length
  expect([await epochOf(id), status]).toEqual([1 + changes, changes % 2 === 0 ? 'active' : 'suspended'])
  expect(changes).toBeGreaterThan(0)
})

test('a change that was decided on what no longer holds is decided anew, and nothing of it is written before', async () => {
  const { id } = await site.membership.users.create({ username: 'moving' })
  const seen: number[] = []
  await credentialsChanged(
    site.core,
    id,
    async ({ credentialEpoch }) => {
      seen.push(credentialEpoch)
      if (seen.length < 3) await raiseFrom(id, credentialEpoch)
      return { because, statements: [bind(setDisplayName, { id, displayName: `decided at ${credentialEpoch}` })] }
    },
    OPERATOR,
  )
  expect([seen, await epochOf(id)]).toEqual([[1, 2, 3], 4])
  expect(await site.membership.users.find('moving')).toMatchObject({ displayName: 'decided at 3' })
})

test('a change that others overtake five times is refused as too busy', async () => {
  const { id } = await site.membership.users.create({ username: 'overtaken' })
  let asked = 0
  const overtaken = credentialsChanged(
    site.core,
    id,
    async ({ credentialEpoch }) => {
      asked++
      await raiseFrom(id, credentialEpoch)
      return nothingElse
    },
    OPERATOR,
  )
  await expect(overtaken).rejects.toMatchObject({ code: 'overloaded' })
  expect(asked).toBe(5)
})

test('a change of nothing writes nothing, and one of nobody is refused', async () => {
  const { id } = await site.membership.users.create({ username: 'still' })
  await credentialsChanged(site.core, id, () => undefined, OPERATOR)
  expect(await epochOf(id)).toBe(1)
  await expect(credentialsChanged(site.core, 'nobody', () => nothingElse, OPERATOR)).rejects.toMatchObject({ code: 'not_found' })
})
