// The rules of session stores as tests, for node:test or any runner that has describe and it.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { Awaitable } from '../domain/awaitable.ts'
import { systemClock } from '../domain/clock.ts'
import { MAX_LISTED } from '../session/row.ts'
import type { SessionStore } from '../session/store.ts'
import { later, sessionRow, times } from './session-row.ts'
import { type Rule, sessionRowsRules } from './session-rows-contract.ts'

export interface TestRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>): unknown
}

export interface SuiteOptions {
  /**
   * Whether the store deletes expired rows by itself, like Redis. Default: false. If true, expired rows may be gone, and `deleteExpired`
   * finds none.
   */
  readonly expiresByItself?: boolean
}

/**
 * Declares tests for every rule of `SessionStore`. `makeStore` returns a new empty store each time; the suite closes it.
 *
 * @example
 * import { describe, it } from 'node:test'
 * sessionStoreSuite('MyStore', () => new MyStore(), { describe, it })
 */
export function sessionStoreSuite(
  name: string,
  makeStore: () => Awaitable<SessionStore>,
  { describe, it }: TestRunner,
  { expiresByItself = false }: SuiteOptions = {},
): void {
  const rule: Rule = (title, test) => {
    it(title, async () => {
      const store = await makeStore()
      try {
        await test(store)
      } finally {
        await store.close()
      }
    })
  }

  describe(name, () => {
    sessionRowsRules(rule, { expiresByItself })

    if (expiresByItself) {
      rule('7: takes out what has expired by itself, and nothing that lives', async (store) => {
        const expired = sessionRow({ createdAt: 1, lastSeenAt: 1, expiresAt: 2, endsAt: 3 })
        const live = sessionRow()
        for (const row of [expired, live]) await store.create(row)
        while (await store.find(expired.hash)) await setTimeout(10)
        assert.equal(await store.deleteExpired(live.createdAt, 3), 0)
        assert.ok(await store.find(live.hash))
        assert.equal(await store.update(expired.hash, { a: '1' }), false)
        assert.equal(await store.touch(expired.hash, later(live, 1)), false)
        assert.equal(await store.find(expired.hash), undefined)
      })
    } else {
      rule('7: deletes what has expired, no more than asked, and says how many', async (store) => {
        const now = systemClock.now()
        const expired = times(5, (n) => sessionRow({ expiresAt: now - n }))
        const live = sessionRow({ expiresAt: now + 1 })
        for (const row of [...expired, live]) await store.create(row)
        assert.equal(await store.deleteExpired(now, 3), 3)
        assert.equal(await store.deleteExpired(now, 3), 2)
        assert.equal(await store.deleteExpired(now, 3), 0)
        for (const row of expired) assert.equal(await store.find(row.hash), undefined)
        assert.ok(await store.find(live.hash))
      })
    }

    rule('9: a superseded session can be read until then, and neither written nor touched', async (store) => {
      const row = sessionRow({ data: '{"n":"1"}' })
      await store.create(row)
      const now = row.createdAt
      assert.equal(await store.supersede(row.hash, now + 600_000), true)
      assert.equal(await store.supersede(row.hash, now + 700_000), false)
      assert.equal(await store.update(row.hash, { n: '2' }), false)
      assert.equal(await store.update(row.hash, { n: '2' }, { ifRevision: row.revision }), false)
      assert.equal(await store.touch(row.hash, later(row, 60)), false)
      const limits = { idleMs: 60_000, endsAt: now + 90_000, persistent: true }
      assert.equal(await store.touch(row.hash, { lastSeenAt: now, expiresAt: now + 90_000, limits }), false)
      assert.partialDeepStrictEqual(await store.find(row.hash), { data: row.data, idleMs: 0, expiresAt: now + 600_000 })
      assert.equal(await store.deleteExpired(now + 600_000, 10), expiresByItself ? 0 : 1)
      assert.equal(await store.supersede('unknown', now), false)
    })

    rule('9: never lives longer for being superseded', async (store) => {
      const now = systemClock.now()
      const row = sessionRow({ expiresAt: now + 500_000 })
      await store.create(row)
      await store.supersede(row.hash, now + 600_000)
      assert.partialDeepStrictEqual(await store.find(row.hash), { expiresAt: now + 500_000 })
    })

    rule("10: lists a user's sessions, the last seen first, and nobody else's", async (store) => {
      const now = systemClock.now()
      const rows = [2, 3, 1].map((n) => sessionRow({ userId: 'u1', lastSeenAt: now + n }))
      for (const row of [...rows, sessionRow({ userId: 'u2' }), sessionRow()]) await store.create(row)
      const listed = await store.listByUser('u1')
      assert.deepEqual(
        listed.map(({ lastSeenAt }) => lastSeenAt - now),
        [3, 2, 1],
      )
      assert.deepEqual(await store.listByUser('nobody'), [])
    })

    rule('10: of sessions seen together lists the newest first, each time', async (store) => {
      const now = systemClock.now()
      const rows = times(12, (n) => sessionRow({ userId: 'u1', lastSeenAt: now, createdAt: now - ((n * 5) % 12) }))
      for (const row of rows) await store.create(row)
      for (const _ of times(5, String)) {
        assert.deepEqual(
          (await store.listByUser('u1')).map(({ createdAt }) => now - createdAt),
          times(12, (n) => n),
        )
      }
    })

    rule("11: lists the last hundred of a user's sessions, and ends all of them", async (store) => {
      const now = systemClock.now()
      const rows = times(130, (n) => sessionRow({ userId: 'u1', lastSeenAt: now + n }))
      for (const row of rows) await store.create(row)
      assert.deepEqual(
        (await store.listByUser('u1')).map(({ lastSeenAt }) => lastSeenAt - now),
        times(MAX_LISTED, (n) => 129 - n),
      )
      assert.equal(await store.deleteByUser('u1', { except: rows[0]?.hash }), 129)
      assert.deepEqual(
        (await store.listByUser('u1')).map(({ hash }) => hash),
        [rows[0]?.hash],
      )
      for (const row of rows.slice(1)) assert.equal(await store.find(row.hash), undefined)
    })

    rule('12: browses every session that lives, if it browses at all, and counts and clears them', async (store) => {
      if (!store.list) return
      const now = systemClock.now()
      const rows = times(130, () => sessionRow())
      for (const row of rows) await store.create(row)
      if (!expiresByItself) await store.create(sessionRow({ expiresAt: now - 1 }))
      assert.deepEqual(
        (await store.list(now, 10_000)).map(({ hash }) => hash).toSorted(),
        rows.map(({ hash }) => hash).toSorted(),
      )
      assert.equal((await store.list(now, 7)).length, 7)
      assert.equal(await store.count?.(now), 130)
      await store.clear?.()
      assert.deepEqual(await store.list(now, 10_000), [])
    })

    rule("11: deletes a user's sessions, all or all but one, and nobody else's", async (store) => {
      const rows = times(3, () => sessionRow({ userId: 'u1' }))
      const [first] = rows
      const others = [sessionRow({ userId: 'u2' }), sessionRow()]
      for (const row of [...rows, ...others]) await store.create(row)
      assert.equal(await store.deleteByUser('u1', { except: first?.hash }), 2)
      assert.deepEqual(
        (await store.listByUser('u1')).map(({ hash }) => hash),
        [first?.hash],
      )
      assert.equal(await store.deleteByUser('u1'), 1)
      assert.equal(await store.deleteByUser('u1'), 0)
      for (const row of others) assert.ok(await store.find(row.hash))
    })
  })
}
