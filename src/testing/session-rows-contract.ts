// The rules of the interface `SessionRows`, as tests.
import assert from 'node:assert/strict'
import { newId } from '../domain/secret.ts'
import type { SessionStore } from '../session/store.ts'
import { dataOf, later, sessionRow, times } from './session-row.ts'

/** Declares a test of one rule. */
export type Rule = (title: string, test: (store: SessionStore) => Promise<void>) => void

export function sessionRowsRules(rule: Rule, { expiresByItself }: { readonly expiresByItself: boolean }): void {
  rule('gives back what was created, every column of it', async (store) => {
    const login = { userId: 'u1', credentialEpoch: 3, factors: 'password', authenticatedAt: 1, ip: '::1', userAgent: 'Ünï/1' }
    const rows = [sessionRow(), sessionRow({ ...login, persistent: true, data: '{"cart":"[1,2]"}' })]
    for (const row of rows) await store.create(row)
    for (const row of rows) assert.partialDeepStrictEqual(await store.find(row.hash), row)
    assert.equal(await store.find('unknown'), undefined)
  })

  rule('1: creates a hash once, and leaves the first row as it is', async (store) => {
    const row = sessionRow({ data: '{"a":"1"}' })
    await store.create(row)
    await assert.rejects(async () => store.create({ ...sessionRow(), hash: row.hash }))
    assert.deepEqual(await dataOf(store, row), { a: '1' })
  })

  rule('1: of parallel creates of one hash exactly one succeeds', async (store) => {
    const row = sessionRow()
    const results = await Promise.allSettled(times(20, async () => store.create({ ...sessionRow(), hash: row.hash })))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  rule('2: updates and touches an existing row, says so, and never makes one', async (store) => {
    const row = sessionRow()
    await store.create(row)
    assert.equal(await store.update(row.hash, { a: '1' }), true)
    assert.equal(await store.touch(row.hash, later(row, 1)), true)
    assert.equal(await store.update('unknown', { a: '1' }), false)
    assert.equal(await store.touch('unknown', later(row, 1)), false)
    assert.equal(await store.find('unknown'), undefined)
  })

  rule('3: replaces and removes exactly the keys of a patch', async (store) => {
    const row = sessionRow({ data: '{"a":"1","b":"{\\"x\\":1}","c":"3"}' })
    await store.create(row)
    await store.update(row.hash, { b: '{"y":2}', c: null, d: '"new"', missing: null })
    assert.deepEqual(await dataOf(store, row), { a: '1', b: '{"y":2}', d: '"new"' })
  })

  rule('3: keeps keys and values of any characters apart', async (store) => {
    const row = sessionRow()
    await store.create(row)
    // Different keys in each run: V8 may read an escaped key as one of an object parsed before,
    // https://github.com/nodejs/node/issues/63785.
    const suffix = `-${newId()}`
    const keys = [
      '',
      ' ',
      '"',
      '\\',
      '\\u0041',
      'A',
      'é',
      'e\u0301',
      '\u{1F600}',
      '$.a',
      'a.b',
      '[0]',
      'constructor',
      'prototype',
    ].map((key) => key + suffix)
    keys.push('constructor', 'prototype')
    for (const key of [...keys, '__proto__'])
      await store.update(row.hash, JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(JSON.stringify(key))}}`))
    const found = await dataOf(store, row)
    assert.deepEqual(Object.keys(found).toSorted(), [...keys, '__proto__'].toSorted())
    for (const key of keys) assert.equal(found[key], JSON.stringify(key))
    await store.update(row.hash, { [`"${suffix}`]: null, [`é${suffix}`]: null })
    assert.deepEqual(Object.keys(await dataOf(store, row)).length, keys.length - 1)
  })

  rule('3: of 100 parallel patches of different keys all are kept', async (store) => {
    const row = sessionRow()
    await store.create(row)
    await Promise.all(times(100, async (n) => store.update(row.hash, { [`k${n}`]: String(n) })))
    const found = await dataOf(store, row)
    assert.deepEqual(
      times(100, (n) => found[`k${n}`]),
      times(100, String),
    )
  })

  rule('3: of parallel patches of one key one wins, whole', async (store) => {
    const row = sessionRow()
    await store.create(row)
    await Promise.all(times(50, async (n) => store.update(row.hash, { a: `[${n},${n}]`, b: `[${n},${n}]` })))
    const { a, b } = await dataOf(store, row)
    assert.match(a ?? '', /^\[(\d+),\1\]$/)
    assert.equal(a, b)
  })

  rule('4: finds nothing after a delete, which says whether it deleted', async (store) => {
    const row = sessionRow()
    await store.create(row)
    assert.deepEqual(await store.delete([row.hash]), [row.hash])
    assert.deepEqual(await store.delete([row.hash]), [])
    assert.equal(await store.find(row.hash), undefined)
    assert.equal(await store.update(row.hash, { a: '1' }), false)
    assert.equal(await store.touch(row.hash, later(row, 1)), false)
    assert.equal(await store.find(row.hash), undefined)
  })

  rule('4: a deleted session never comes back under parallel updates, touches and creates', async (store) => {
    for (const round of times(20, (n) => n)) {
      const row = sessionRow({ userId: `racer-${round}` })
      await store.create(row)
      const writers = times(10, async (n) => store.update(row.hash, { [`k${n}`]: '1' }))
      const touchers = times(10, async (n) => store.touch(row.hash, later(row, n)))
      const ended = round % 2 === 0 ? store.delete([row.hash]) : store.deleteByUser(`racer-${round}`)
      const more = times(10, async (n) => store.update(row.hash, { [`m${n}`]: '1' }))
      const others = times(5, async () => store.create(sessionRow()))
      await ended
      assert.equal(await store.find(row.hash), undefined)
      await Promise.all([...writers, ...touchers, ...more, ...others])
      assert.equal(await store.find(row.hash), undefined)
    }
  })

  rule('4: deletes many at once, says which were there, and leaves the others', async (store) => {
    const rows = times(3, () => sessionRow({ userId: 'u1' }))
    const kept = sessionRow({ userId: 'u1' })
    for (const row of [...rows, kept]) await store.create(row)
    const hashes = rows.map(({ hash }) => hash)
    const some = [...times(300, (n) => `unknown-${n}`), ...hashes, 'a "quoted", {braced} one']
    assert.deepEqual([...(await store.delete(some))].toSorted(), hashes.toSorted())
    for (const hash of hashes) assert.equal(await store.find(hash), undefined)
    assert.deepEqual(
      (await store.listByUser('u1')).map(({ hash }) => hash),
      [kept.hash],
    )
    assert.deepEqual(await store.delete([]), [])
  })

  rule('5: a touch never moves the times back, whatever the order', async (store) => {
    const row = sessionRow()
    await store.create(row)
    await Promise.all([5, 2, 9, 1].map(async (n) => store.touch(row.hash, later(row, n))))
    const { lastSeenAt, expiresAt } = later(row, 9)
    assert.partialDeepStrictEqual(await store.find(row.hash), {
      lastSeenAt,
      expiresAt,
      createdAt: row.createdAt,
      endsAt: row.endsAt,
    })
  })

  rule('5: only new limits let a session end earlier, or later than it could', async (store) => {
    const row = sessionRow()
    await store.create(row)
    const seen = { lastSeenAt: row.lastSeenAt + 1, expiresAt: row.lastSeenAt + 64_000 }
    const limits = { idleMs: 60_000, endsAt: row.createdAt + 90_000_000, persistent: true }
    const more = { ...row, data: '{"not":"its business"}', ...limits }
    assert.equal(await store.touch(row.hash, { ...seen, limits: more }), true)
    assert.partialDeepStrictEqual(await store.find(row.hash), { ...row, ...limits, ...seen })
    assert.equal(await store.touch('unknown', { ...seen, limits }), false)
    assert.equal(await store.find('unknown'), undefined)
  })

  rule(`6: gives back expired rows too${expiresByItself ? ', or nothing' : ''}: who reads judges`, async (store) => {
    const row = sessionRow({ createdAt: 1, lastSeenAt: 1, expiresAt: 2, endsAt: 3 })
    await store.create(row)
    const found = await store.find(row.hash)
    if (found === undefined && expiresByItself) return
    assert.partialDeepStrictEqual(found, row)
  })

  rule('8: changes what is as it was, and nothing that somebody changed meanwhile', async (store) => {
    const row = sessionRow({ data: '{"n":"1"}' })
    await store.create(row)
    assert.equal(await store.update(row.hash, { n: '2' }, { ifRevision: row.revision }), true)
    assert.equal(await store.update(row.hash, { n: '3' }, { ifRevision: row.revision }), false)
    assert.deepEqual(await dataOf(store, row), { n: '2' })
    const { revision } = (await store.find(row.hash)) ?? row
    assert.equal(await store.update(row.hash, { n: '1' }), true)
    // The data is the same as before, but the revision is not.
    assert.equal(await store.update(row.hash, { n: '4' }, { ifRevision: row.revision }), false)
    assert.equal(await store.update(row.hash, { n: '4' }, { ifRevision: revision }), false)
    assert.equal(await store.update('unknown', { n: '3' }, { ifRevision: 0 }), false)
  })

  rule('8: of 50 parallel changes from the same data one succeeds', async (store) => {
    const row = sessionRow({ data: '{"n":"0"}' })
    await store.create(row)
    const done = await Promise.all(
      times(50, async (n) => store.update(row.hash, { n: String(n + 1) }, { ifRevision: row.revision })),
    )
    assert.equal(done.filter(Boolean).length, 1)
    assert.equal((await dataOf(store, row)).n, String(done.indexOf(true) + 1))
  })

  rule('8: only an update raises the revision', async (store) => {
    const row = sessionRow()
    await store.create(row)
    const revisionNow = async () => (await store.find(row.hash))?.revision ?? -1
    const before = await revisionNow()
    await store.touch(row.hash, later(row, 1))
    assert.equal(await revisionNow(), before)
    await Promise.all(times(10, async (n) => store.update(row.hash, { [`k${n}`]: '1' })))
    assert.ok((await revisionNow()) > before)
    assert.equal(await store.update(row.hash, { n: '1' }, { ifRevision: await revisionNow() }), true)
    await store.supersede(row.hash, row.createdAt + 1000)
  })
}
