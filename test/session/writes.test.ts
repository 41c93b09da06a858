// How often a store of ours is written for one request, and that an answer counts as given while it is saved.
import { setImmediate } from 'node:timers/promises'
import express, { type NextFunction, type Request, type Response } from 'express'
import { MemoryStore, type SessionOptions, session } from 'guildhall/session'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Browser, countingStore, HandClock, laterStore, MINUTE, serve } from './support.ts'

const WRITES = new Set(['create', 'update', 'touch', 'delete', 'supersede'])

const ANSWERS: Readonly<Record<string, (req: Request, res: Response) => unknown>> = {
  end: (_req, res) => res.end('ab'),
  'a stream': async (_req, res) => {
    res.write('a')
    await setImmediate()
    res.end('b')
  },
  writeHead: async (_req, res) => {
    res.writeHead(200)
    await setImmediate()
    res.end('ab')
  },
  save: async (req, res) => {
    await req.session.save()
    res.end('ab')
  },
}

describe.each([true, false])('resave, and a store that answers at once: %s', (atOnce) => {
  test.each(Object.entries(ANSWERS))('somebody who comes again is written once, answered by %s', async (_how, answer) => {
    const clock = new HandClock()
    const memory = new MemoryStore({ clock })
    const { store, calls } = countingStore(atOnce ? memory : laterStore(memory))
    const options: SessionOptions = { store, clock, resave: true }
    const middleware = session(options)
    onTestFinished(() => middleware.close())
    const app = express()
    app.use(middleware)
    app.get('/:what', (req, res) => {
      if (req.params.what === 'write') req.session.views = (req.session.views ?? 0) + 1
      return answer(req, res)
    })
    const browser = new Browser(await serve(app))
    const writes = async (path: string) => {
      calls.splice(0)
      expect((await browser.get(path)).text).toBe('ab')
      return calls.filter((call) => WRITES.has(call))
    }
    expect(await writes('/write')).toEqual(['create'])
    expect(await writes('/write')).toEqual(['update'])
    expect(await writes('/read')).toEqual(['touch'])
    clock.forward(2 * MINUTE)
    expect(await writes('/write')).toEqual(['update', 'touch'])
  })
})

test('the answer of somebody whose session is being saved counts as given, and no longer when the save fails', async () => {
  const memory = new MemoryStore()
  let fails = false
  const store = laterStore(memory, async (verb) => {
    await setImmediate()
    if (fails && verb === 'update') throw new Error('disk full')
  })
  const seen: unknown[] = []
  const app = express()
  app.set('env', 'test')
  const middleware = session({ store })
  onTestFinished(() => middleware.close())
  app.use(middleware)
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    seen.push(res.headersSent)
    res.send('fine')
    seen.push(res.headersSent)
  })
  app.get('/stream', async (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.write('fi')
    seen.push(res.headersSent)
    await setImmediate()
    await setImmediate()
    res.end('ne')
    seen.push(res.headersSent)
  })
  app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    seen.push(res.headersSent)
    res.status(500).send('an error page')
    seen.push(res.headersSent)
  })
  const browser = new Browser(await serve(app))
  expect([(await browser.get('/')).text, seen.splice(0)]).toEqual(['fine', [false, true]])
  expect([(await browser.get('/stream')).text, seen.splice(0)]).toEqual(['fine', [true, true]])
  fails = true
  const { status, text } = await browser.get('/')
  expect([status, text, seen]).toEqual([500, 'an error page', [false, true, false, true]])
})
