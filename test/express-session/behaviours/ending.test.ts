// What becomes of a session whose application sets req.session to null, or deletes it.
import { expect, test } from 'vitest'
import { forEachImplementation } from '../implementations.ts'
import { called, type Handler, homeMade, open, tally, watched } from '../support.ts'

const WAYS = ['null', 'undefined', 'delete'] as const

/** Ends the session at `/null`, `/undefined` and `/delete`, as `req.session = null` does. */
const ending: Handler = (req, res) => {
  if (req.path === '/null') Reflect.set(req, 'session', null)
  if (req.path === '/undefined') Reflect.set(req, 'session', undefined)
  if (req.path === '/delete') Reflect.deleteProperty(req, 'session')
  if (req.path === '/write') req.session.user = 'alice'
  res.json(req.session?.user ?? null)
}

forEachImplementation('req.session taken away', (implementation) => {
  test.each(WAYS)('with unset destroy a visitor is logged out: %s', async (way) => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, unset: 'destroy' }, ending)
    const visitor = place.visitor()
    await visitor.get('/write')
    const { cookie } = visitor
    tally(calls)
    expect((await visitor.get(`/${way}`)).text).toBe('null')
    expect(tally(calls).destroy).toBe(1)
    expect((await place.get('/read', { cookie })).text).toBe('null')
  })

  test.each(WAYS)('with unset keep the session stays, and what this request changed is forgotten: %s', async (way) => {
    const { store, calls } = watched(implementation)
    const place = await open(implementation, { store, unset: 'keep' }, (req, res, next) => {
      if (req.path === `/${way}`) req.session.user = 'bob'
      return ending(req, res, next)
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    tally(calls)
    const answer = await visitor.get(`/${way}`)
    expect([answer.text, answer.lines]).toEqual(['null', []])
    expect(tally(calls)).toEqual({ get: 1 })
    expect((await visitor.get('/read')).text).toBe('"alice"')
  })

  test('unset is keep by default, in ours destroy', async () => {
    const place = await open(implementation, {}, ending)
    const visitor = place.visitor()
    await visitor.get('/write')
    const { cookie } = visitor
    await visitor.get('/null')
    expect((await place.get('/read', { cookie })).text).toBe(implementation.isReference ? '"alice"' : 'null')
  })

  test('a visitor without a session gets no cookie where the application takes it away', async () => {
    for (const unset of ['keep', 'destroy']) {
      const place = await open(implementation, { unset, saveUninitialized: true }, ending)
      expect((await place.get('/null')).lines).toEqual([])
    }
    const place = await open(implementation, {}, async (req, res) => {
      await called((done) => req.session.destroy(done))
      res.end()
    })
    expect((await place.get()).lines).toEqual([])
  })

  test('a request that destroyed its session and answers is not ended twice', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store, unset: 'keep' }, async (req, res) => {
      if (req.path === '/write') req.session.user = 'alice'
      else await called((done) => req.session.destroy(done))
      res.end('done')
    })
    const visitor = place.visitor()
    await visitor.get('/write')
    expect((await visitor.get('/logout')).text).toBe('done')
    expect(store.calls.filter((call) => call === 'destroy')).toHaveLength(1)
    expect(store.rows.size).toBe(0)
  })

  test('an error at the end of a session reaches the error handler', async () => {
    const store = homeMade(implementation)
    const place = await open(implementation, { store, unset: 'destroy' }, ending)
    const visitor = place.visitor()
    await visitor.get('/write')
    store.errors.destroy = new Error('the store is on fire')
    await visitor.get('/null')
    expect(String(await place.error)).toContain('the store is on fire')
  })
})
