// What a request says of its session counts at once, whatever its store is still busy with.
import { setImmediate } from 'node:timers/promises'
import { MemoryStore } from 'guildhall/session'
import { describe, expect, test } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { ADA, application, Browser, countingStore, laterStore, STORES, send } from './support.ts'

describe.each(STORES)('on %s', (_name, makeStore) => {
  const ENDS: Readonly<Record<string, (req: Express.Request) => unknown>> = {
    'req.session = null': (req) => Reflect.set(req, 'session', null),
    'destroy, not awaited': (req) => void req.session.destroy(),
  }
  const BUSY: Readonly<Record<string, (req: Express.Request) => unknown>> = {
    touch: (req) => req.session.touch(),
    save: (req) => {
      req.session.views = 99
      void req.session.save()
    },
    update: (req) => void req.session.update((data) => (data.views = 99)),
    reload: (req) => void req.session.reload(),
    nothing: () => {},
  }

  test.each(Object.keys(BUSY).flatMap((busy) => Object.keys(ENDS).map((end) => [busy, end] as const)))(
    'D-20 a person whose request is busy with %s is gone at once by %s, and the deletion takes its turn',
    async (busy, end) => {
      const { url, store } = await application(
        (app, sessions) => {
          app.get('/login', async (req, res) => {
            await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
            req.session.views = 1
            res.end()
          })
          app.get('/', (req, res) => {
            BUSY[busy]?.(req)
            ENDS[end]?.(req)
            res.json([req.session ?? null, sessions.row(req) ?? null])
          })
        },
        { store: makeStore() },
      )
      const browser = new Browser(url)
      await browser.get('/login')
      const { id } = browser
      const answer = await browser.get('/')
      expect([answer.text, browser.cookie]).toEqual(['[null,null]', undefined])
      await setImmediate()
      expect(await store.find(digest(id))).toBeUndefined()
      await store.close()
    },
  )

  test('a new session is there at once by regenerate, while the old one is still saved', async () => {
    const { url, store } = await application(
      (app, sessions) => {
        app.get('/', (req, res) => {
          req.session.views = 1
          void req.session.save()
          const before = req.sessionID
          void req.session.regenerate()
          const seen = [req.session.views ?? null, before !== req.sessionID, sessions.row(req) ?? null]
          req.session.cart = 'new'
          res.json([...seen, before])
        })
        app.get('/look', (req, res) => {
          res.json(req.session)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    const [views, changed, row, before] = JSON.parse((await browser.get('/')).text)
    expect([views, changed, row]).toEqual([null, true, null])
    expect((await browser.get('/look')).text).toBe('{"cart":"new"}')
    expect(await store.find(digest(String(before)))).toMatchObject({ data: '{"views":"1"}', idleMs: 0 })
    await store.close()
  })
})

test('a Cookie header with 280 made-up ids costs one call of the store, which ends the real one among them', async () => {
  for (const makeStore of [() => new MemoryStore(), () => laterStore(new MemoryStore())]) {
    const { store, calls } = countingStore(makeStore())
    const { url } = await application(
      (app, sessions) => {
        app.get('/begin', (req, res) => {
          req.session.views = 1
          res.end()
        })
        app.get('/logout', async (req, res) => {
          await sessions.end(req)
          res.end()
        })
        app.get('/login', async (req, res) => {
          await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
          res.end()
        })
        app.get('/regenerate', async (req, res) => {
          await req.session.regenerate()
          res.end()
        })
      },
      { store },
    )
    for (const path of ['/logout', '/login', '/regenerate']) {
      const browser = new Browser(url)
      await browser.get('/begin')
      const made = Array.from({ length: 280 }, (_, n) => `sid=${String(n).padStart(43, 'm')}`)
      calls.length = 0
      expect((await send(url + path, { cookie: [...made, browser.cookie].join('; ') })).status).toBe(200)
      expect([path, calls.filter((call) => call === 'delete').length]).toEqual([path, 1])
      expect(await store.find(digest(browser.id))).toBeUndefined()
    }
  }
})
