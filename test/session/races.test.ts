// A logout cannot be undone: a request that still runs on the ended session writes nothing and sets no cookie.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MemoryStore, type SessionStore } from 'guildhall/session'
import { SqliteStore } from 'guildhall/session/sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digest } from '../../src/domain/secret.ts'
import { ADA, application, Browser, laterStore, MINUTE } from './support.ts'

const TRIALS = 40

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'sessions.db')
}

const STORES: readonly (readonly [string, () => SessionStore])[] = [
  ['memory', () => new MemoryStore()],
  ['SQLite', () => new SqliteStore({ path: file() })],
]

/** Holds the calls of one verb back until it is opened. */
class Barrier {
  #armed: string | undefined
  #reached = Promise.withResolvers<void>()
  #open = Promise.withResolvers<void>()

  arm(verb: string): void {
    this.#armed = verb
    this.#reached = Promise.withResolvers()
    this.#open = Promise.withResolvers()
  }

  get reached(): Promise<void> {
    return this.#reached.promise
  }

  open(): void {
    this.#open.resolve()
  }

  readonly pass = async (verb: string): Promise<void> => {
    if (verb !== this.#armed) return
    this.#armed = undefined
    this.#reached.resolve()
    await this.#open.promise
  }
}

describe.each(STORES)('D-22 a logout in %s', (_name, makeStore) => {
  /** The point at which the slow request waits while the logout runs. */
  const stations = ['handler', 'find', 'update', 'touch'] as const

  test.each(stations)('cannot be undone by a request that waits at %s', async (station) => {
    const store = makeStore()
    onTestFinished(() => void store.close())
    const barrier = new Barrier()
    const slow = laterStore(store, barrier.pass)
    const { url, clock } = await application(
      (app, sessions) => {
        app.get('/login', async (req, res) => {
          await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
          req.session.views = 0
          res.end()
        })
        app.get('/write', async (req, res) => {
          req.session.views = 1
          await barrier.pass('handler')
          req.session.cart = 2
          res.json(sessions.row(req)?.userId ?? 'nobody')
        })
        app.get('/logout', async (req, res) => {
          await sessions.end(req)
          res.end()
        })
        app.get('/who', (req, res) => {
          res.json(sessions.row(req)?.userId ?? 'nobody')
        })
      },
      { store: slow },
    )
    let resurrected = 0
    for (let trial = 0; trial < TRIALS; trial++) {
      const browser = new Browser(url)
      await browser.get('/login')
      const saved = browser.cookie
      if (station === 'touch') clock.forward(2 * MINUTE)
      barrier.arm(station)
      const writing = new Browser(url)
      Object.assign(writing, { cookie: saved, marker: browser.marker })
      const written = writing.get('/write')
      await barrier.reached
      await browser.get('/logout')
      barrier.open()
      const answer = await written
      await setImmediate()
      const replay = new Browser(url)
      replay.cookie = saved
      const alive = (await replay.get('/who')).text !== '"nobody"'
      const row = await store.find(digest(saved?.split('=')[1] ?? ''))
      // Reading before the logout, the slow request may answer; but it stores nothing. Reading after it, it is logged out.
      const cookie = station === 'find' ? false : answer.setCookies.length > 0
      if (alive || row !== undefined || cookie) resurrected++
      if (station === 'find') expect(answer.text).toBe('"nobody"')
    }
    expect(resurrected).toBe(0)
    expect(await store.listByUser('ada')).toEqual([])
  })

  test('in another tab while many requests write: none brings it back', async () => {
    const store = makeStore()
    onTestFinished(() => void store.close())
    const { url } = await application(
      (app, sessions) => {
        app.get('/login', async (req, res) => {
          await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
          res.end()
        })
        app.get('/write/:n', async (req, res) => {
          Reflect.set(req.session, `x${req.params.n}`, 1)
          for (let turn = 0; turn < Number(req.params.n) % 7; turn++) await setImmediate()
          await req.session.save()
          Reflect.set(req.session, `x${req.params.n}`, 2)
          res.end()
        })
        app.get('/logout', async (req, res) => {
          await sessions.end(req)
          res.end()
        })
      },
      { store: laterStore(store) },
    )
    for (let trial = 0; trial < TRIALS; trial++) {
      const browser = new Browser(url)
      await browser.get('/login')
      const { id, cookie } = browser
      const writers = Array.from({ length: 8 }, (_, n) => Object.assign(new Browser(url), { cookie }).get(`/write/${n}`))
      await browser.get('/logout')
      await Promise.all(writers)
      expect(await store.find(digest(id))).toBeUndefined()
    }
  })

  test('and a new login: a request on the old id changes neither the new session nor the cookie', async () => {
    const store = makeStore()
    onTestFinished(() => void store.close())
    const barrier = new Barrier()
    const { url } = await application(
      (app, sessions) => {
        app.get('/login', async (req, res) => {
          await sessions.renew(req, { ...ADA, authenticatedAt: 1 })
          req.session.views = 0
          res.end()
        })
        app.get('/write', async (req, res) => {
          req.session.views = 1
          await barrier.pass('handler')
          res.end()
        })
        app.get('/regenerate', async (req, res) => {
          await req.session.regenerate()
          req.session.cart = 'new'
          res.end()
        })
      },
      { store: laterStore(store, barrier.pass) },
    )
    for (const path of ['/login', '/regenerate']) {
      const browser = new Browser(url)
      await browser.get('/login')
      const old = browser.cookie
      barrier.arm('handler')
      const writing = Object.assign(new Browser(url), { cookie: old }).get('/write')
      await barrier.reached
      await browser.get(path)
      barrier.open()
      expect((await writing).setCookies).toEqual([])
      expect(await store.find(digest(old?.split('=')[1] ?? ''))).toBeUndefined()
      expect((await store.find(digest(browser.id)))?.data).toBe(path === '/login' ? '{"views":"0"}' : '{"cart":"\\"new\\""}')
    }
  })
})
