// MemoryStore, and the same methods on req.sessionStore, as applications call them.
import { expect, test } from 'vitest'
import { type AnyStore, forEachImplementation, type Row } from '../implementations.ts'
import { called, count, HOUR, handClock, idIn, MINUTE, open } from '../support.ts'

forEachImplementation('the memory store', (implementation) => {
  /** The store as the application sees it on a request, with three visitors in it. */
  async function threeVisitors(): Promise<{ store: AnyStore; ids: string[]; place: Awaited<ReturnType<typeof open>> }> {
    let store: AnyStore | undefined
    const place = await open(implementation, { cookie: { maxAge: HOUR } }, (req, res) => {
      store = req.sessionStore
      req.session.user = req.path.slice(1)
      res.end()
    })
    const ids: string[] = []
    for (const user of ['alice', 'bob', 'carol']) ids.push(idIn((await place.get(`/${user}`)).cookie))
    if (store === undefined) throw new Error('there is no req.sessionStore')
    return { store, ids, place }
  }

  test('sessionStore: get gives the row of an id, and nothing for an unknown one', async () => {
    const { store, ids } = await threeVisitors()
    const row = await called<Row>((done) => store.get(ids[1] ?? '', done))
    expect(row).toMatchObject({ user: 'bob', cookie: { originalMaxAge: HOUR, path: '/', httpOnly: true } })
    expect(await called((done) => store.get('stranger', done))).toBeUndefined()
  })

  test('sessionStore: set writes a row, which its visitor finds', async () => {
    let store: AnyStore | undefined
    const place = await open(implementation, {}, (req, res) => {
      store = req.sessionStore
      return count(req, res, () => {})
    })
    const visitor = place.visitor()
    const id = idIn((await visitor.get()).cookie)
    const row = await called<Row>((done) => store?.get(id, done))
    await called((done) => store?.set(id, { ...row, views: 41 }, done))
    expect((await visitor.get()).text).toBe('42')
  })

  test('sessionStore: destroy ends the session of an id, with or without a callback, as often as asked', async () => {
    const { store, ids } = await threeVisitors()
    const [first = '', second = ''] = ids
    await called((done) => store.destroy(first, done))
    await called((done) => store.destroy(first, done))
    store.destroy(second)
    for (const id of [first, second]) expect(await called((done) => store.get(id, done))).toBeUndefined()
  })

  test('sessionStore: all, length and clear look at every session', async () => {
    const { store } = await threeVisitors()
    const all = await called<Record<string, Row>>((done) => store.all(done as never))
    expect(new Set(Object.values(all ?? {}).map(({ user }) => user))).toEqual(new Set(['alice', 'bob', 'carol']))
    expect(await called((done) => store.length(done))).toBe(3)
    await called((done) => store.clear(done))
    expect((await called<number>((done) => store.length(done))) ?? 0).toBe(0)
  })

  test('sessionStore: all tells the ids, where the store knows them', async () => {
    const { store, ids } = await threeVisitors()
    const all = await called<Record<string, Row>>((done) => store.all(done as never))
    // On purpose: our own stores have only hashes.
    if (implementation.callbacks) expect(Object.keys(all ?? {}).toSorted()).toEqual(ids.toSorted())
    else for (const id of ids) expect(JSON.stringify(all)).not.toContain(id)
  })

  test('sessionStore: a session that has expired is not found', async () => {
    const clock = handClock()
    const { store, ids } = await threeVisitors()
    clock.forward(3 * HOUR)
    expect(await called((done) => store.get(ids[0] ?? '', done))).toBeUndefined()
    expect((await called<number>((done) => store.length(done))) ?? 0).toBe(0)
  })

  test('sessionStore: touch moves the end of a session on and leaves its data alone', async () => {
    const clock = handClock()
    const { store, ids } = await threeVisitors()
    const [id = ''] = ids
    const row = await called<Row>((done) => store.get(id, done))
    clock.forward(50 * MINUTE)
    const cookie = { ...row?.cookie, expires: new Date(Date.now() + HOUR) }
    await called((done) => store.touch?.(id, { cookie, user: 'mallory' }, done))
    clock.forward(50 * MINUTE)
    expect(await called((done) => store.get(id, done))).toMatchObject({ user: 'alice' })
  })

  test('sessionStore: touch brings nobody back', async () => {
    const { store, ids } = await threeVisitors()
    const [id = ''] = ids
    const row = await called<Row>((done) => store.get(id, done))
    await called((done) => store.destroy(id, done))
    await called((done) => store.touch?.(id, row, done))
    expect(await called((done) => store.get(id, done))).toBeUndefined()
  })

  test('sessionStore: a row that was read is a copy', async () => {
    const { store, ids } = await threeVisitors()
    const [id = ''] = ids
    const row = await called<Row>((done) => store.get(id, done))
    if (row) row.user = 'mallory'
    expect(await called((done) => store.get(id, done))).toMatchObject({ user: 'alice' })
  })
})
