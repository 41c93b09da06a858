// The options of the package: their types, defaults, and what a person reads when they are wrong.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import express from 'express'
import defaultExport, { MemoryStore, session } from 'guildhall/session'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readOptions, type SessionOptions } from '../../src/session/options.ts'
import { Browser, serve } from './support.ts'

const quiet = { warn: () => {} }

describe('session()', () => {
  test('works without options, and says once that memory forgets', async () => {
    const said: string[] = []
    const middleware = session({ warn: (text) => said.push(text) })
    const app = express()
    app.use(middleware)
    app.get('/', (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      res.json(req.session.views)
    })
    const browser = new Browser(await serve(app))
    await browser.get('/')
    expect((await browser.get('/')).text).toBe('2')
    expect(browser.cookie).toMatch(/^guildhall=[\w-]{43}$/)
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('memory')
    await middleware.close()
    expect(defaultExport).toBe(session)
  })

  test('somebody who chooses what a warning says fills neither the log nor the memory', async () => {
    const said: string[] = []
    const cookie = (req: { headers: NodeJS.Dict<string | string[]> }) => ({ [`x-${String(req.headers['x-odd'])}`]: 1 })
    const middleware = session({ store: new MemoryStore(), warn: (text) => said.push(text), cookie })
    const app = express()
    app.use(middleware, (_req, res) => void res.end())
    const base = await serve(app)
    for (let n = 0; n < 150; n++) await fetch(base, { headers: { 'x-odd': `${n}` } })
    expect(said).toHaveLength(100)
    await middleware.close()
  })

  test('has the defaults that its options promise', () => {
    const store = new MemoryStore()
    expect(readOptions({ store })).toMatchObject({
      cookie: {
        name: 'guildhall',
        secure: 'auto',
        httpOnly: true,
        sameSite: 'strict',
        path: '/',
        domain: undefined,
        maxAgeMs: undefined,
      },
      limits: { idleMs: 900_000, absoluteMs: 43_200_000 },
    })
    expect(readOptions({ store, cookie: { secure: true } }).cookie.name).toBe('__Host-guildhall')
    expect(readOptions({ store, cookie: { secure: true, domain: 'a.example' } }).cookie.name).toBe('guildhall')
    expect(readOptions({ store, secret: 'x', cookie: { secure: true } }).cookie).toMatchObject({
      name: 'connect.sid',
      secrets: ['x'],
    })
    expect(readOptions({ store, cookie: { maxAge: '30d' } }).cookie.maxAgeMs).toBe(30 * 86_400_000)
  })

  test('names every fault at once', () => {
    const wrong: Record<string, unknown> = {
      store: {},
      secret: [],
      name: 'a b',
      unset: 'gone',
      genid: 'uuid',
      idleTimeout: '15 minutes',
      absoluteTimeout: '500d',
      cookie: {
        secure: false,
        sameSite: 'sideways',
        path: 'x',
        domain: 'a;b',
        partitioned: true,
        priority: 'top',
        expires: 1,
      },
    }
    const message = (() => {
      try {
        readOptions(wrong as SessionOptions)
      } catch (error) {
        return error instanceof TypeError ? error.message : ''
      }
      return ''
    })()
    for (const named of ['store', 'secret', 'name', 'unset', 'genid', 'idleTimeout', 'absoluteTimeout'])
      expect(message).toContain(named)
    for (const named of ['sameSite', 'path', 'domain', 'expires', 'partitioned', 'priority'])
      expect(message).toContain(`cookie.${named}`)
  })

  test.each<[SessionOptions, string]>([
    [{ name: '__Host-x' }, '__Host- needs'],
    [{ name: '__Secure-x' }, '__Secure- needs'],
    [{ name: '__Host-x', cookie: { secure: true, path: '/a' } }, '__Host- needs'],
    [{ cookie: { sameSite: 'none', secure: false } }, "'none' needs cookie.secure"],
    [{ cookie: { path: `/${'x'.repeat(1024)}` } }, 'cookie.path'],
    [{ name: '$Version' }, 'name must be'],
    [{ secret: '' }, 'secret must be'],
  ])('refuses %j', (options, fault) => {
    expect(() => session({ ...quiet, ...options })).toThrow(fault)
  })

  test('never says a secret in an error', () => {
    const wrong = { secret: ['hunter2', 7] }
    expect(() => readOptions(wrong as unknown as SessionOptions)).toThrow(/^(?!.*hunter2)/)
  })
})

test('the visit counter counts, also after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const start = async (): Promise<{ url: string; stop: () => Promise<unknown> }> => {
    const server = spawn(
      process.execPath,
      ['--conditions=guildhall-source', resolve(import.meta.dirname, '../../examples/visit-counter/server.js')],
      {
        env: { ...process.env, PORT: '0', SESSIONS: join(folder, 'visits.db') },
      },
    )
    const [line] = await once(server.stdout, 'data')
    const stop = () => {
      server.kill()
      return once(server, 'exit')
    }
    return { url: String(line).trim(), stop }
  }
  const first = await start()
  const browser = new Browser(first.url)
  expect((await browser.get('/')).text).toBe('You have visited this page 1 time')
  expect((await browser.get('/')).text).toBe('You have visited this page 2 times')
  await first.stop()
  const second = await start()
  const later = Object.assign(new Browser(second.url), { cookie: browser.cookie })
  expect((await later.get('/')).text).toBe('You have visited this page 3 times')
  await second.stop()
})

test('a person is logged out by `delete req.session` alone, also where nobody looked at the session before', async () => {
  const app = express()
  app.use(session(quiet))
  app.get('/out', (req, res) => {
    Reflect.deleteProperty(req, 'session')
    res.end()
  })
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.json(req.session.views)
  })
  const browser = new Browser(await serve(app))
  await browser.get('/')
  const kept = browser.cookie
  await browser.get('/out')
  expect(browser.cookie).toBeUndefined()
  browser.cookie = kept
  expect((await browser.get('/')).text).toBe('1')
})
