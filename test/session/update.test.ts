// `req.session.update(fn)`: an atomic read, change and write.
import { setImmediate } from 'node:timers/promises'
import type { Request } from 'express'
import { describe, expect, test } from 'vitest'
import type { Sessions } from '../../src/session/request/middleware.ts'
import { ADA, application, Browser, STORES, send } from './support.ts'

declare module 'guildhall/session' {
  interface SessionData {
    seats?: number
    taken?: string[]
  }
}

describe.each(STORES)('an atomic change on %s', (_name, makeStore) => {
  test('D-23 F-31 loses nothing: 100 people take 60 seats, and 60 get one', async () => {
    const { url, store } = await application(
      (app) => {
        app.get('/begin', (req, res) => {
          req.session.seats = 60
          res.end()
        })
        app.get('/take', async (req, res) => {
          const got = await req.session.update((data) => {
            if (!data.seats) return false
            data.seats--
            return true
          })
          res.json([got, req.session.seats])
        })
        app.get('/', (req, res) => {
          res.json(req.session.seats)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/begin')
    const answers = await Promise.all(Array.from({ length: 100 }, () => browser.get('/take')))
    const taken: unknown[] = answers.map(({ text }) => JSON.parse(text)[0])
    expect(taken.filter((got) => got === true)).toHaveLength(60)
    expect((await browser.get('/')).text).toBe('0')
    await store.close()
  })

  test('sees what is stored, keeps what this request has not saved yet, and is there for it at once', async () => {
    const { url, store } = await application(
      (app) => {
        app.get('/', async (req, res) => {
          req.session.views = 7
          const before = await req.session.update((data) => {
            const seen = { ...data }
            data.taken = [...(data.taken ?? []), 'front row']
            return seen
          })
          res.json([before, req.session.views, req.session.taken])
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    expect(JSON.parse((await browser.get('/')).text)).toEqual([{ views: 7 }, 7, ['front row']])
    expect(JSON.parse((await browser.get('/')).text)).toEqual([{ views: 7, taken: ['front row'] }, 7, ['front row', 'front row']])
    await store.close()
  })

  test('fails where the session was ended meanwhile, and brings nothing back', async () => {
    const { url, store } = await application(
      (app, sessions) => {
        app.get('/begin', (req, res) => {
          req.session.seats = 1
          res.end()
        })
        app.get('/late', async (req, res) => {
          const row = sessions.row(req)
          await store.delete([row?.hash ?? ''])
          await expect(req.session.update((data) => (data.seats = 5))).rejects.toThrow('no longer there')
          res.end()
        })
        app.get('/', (req, res) => {
          res.json(req.session.seats ?? null)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/begin')
    expect((await browser.get('/late')).status).toBe(200)
    expect((await browser.get('/')).text).toBe('null')
    await store.close()
  })

  test('that fails inside changes nothing', async () => {
    const { url, store } = await application(
      (app) => {
        app.get('/begin', (req, res) => {
          req.session.seats = 1
          res.end()
        })
        app.get('/fail', async (req, res) => {
          await req.session
            .update((data) => {
              data.seats = 99
              throw new Error('no')
            })
            .catch(() => {})
          res.json(req.session.seats)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    await browser.get('/begin')
    await browser.get('/fail')
    expect((await browser.get('/fail')).text).toBe('1')
    await store.close()
  })
})

test('a person is answered where the application did not wait for a change that failed, and the process goes on', async () => {
  const { url } = await application((app) => {
    app.get('/', async (req, res) => {
      void req.session.update(() => {
        throw new Error('no')
      })
      await setImmediate()
      res.end('fine')
    })
  })
  expect((await send(url)).text).toBe('fine')
})

test('a person is told of the mistake where a change of their session waits for the session itself', async () => {
  const { url } = await application((app) => {
    app.get('/:verb', async (req, res) => {
      const verb = req.params.verb === 'save' ? 'save' : 'destroy'
      await req.session.update(async () => {
        await req.session[verb]()
      })
      res.end()
    })
  })
  for (const verb of ['save', 'destroy']) {
    const answer = await send(`${url}/${verb}`)
    expect([answer.status, answer.text.includes('nothing else')]).toEqual([500, true])
  }
})

describe.each(STORES)('a change that is still going on, on %s', (_name, makeStore) => {
  const WORKS: Readonly<Record<string, (req: Request, sessions: Sessions) => unknown>> = {
    save: (req) => req.session.save(),
    reload: (req) => req.session.reload(),
    update: (req) => req.session.update(() => {}),
    regenerate: (req) => req.session.regenerate(),
    destroy: (req) => req.session.destroy(),
    touch: (req) => new Promise((resolve, reject) => void req.session.touch((error) => (error ? reject(error) : resolve(1)))),
    'a login': (req, sessions) => sessions.renew(req, { ...ADA, authenticatedAt: 1 }),
    'a logout': (req, sessions) => sessions.end(req),
  }

  test.each(Object.entries(WORKS))(
    'refuses %s after its first await, with the same TypeError as before it',
    async (_what, work) => {
      const { url, store } = await application(
        (app, sessions) => {
          app.get('/begin', (req, res) => {
            req.session.seats = 1
            res.end()
          })
          app.get('/:when', async (req, res) => {
            const error: unknown = await req.session
              .update(async (data) => {
                data.seats = 5
                if (req.params.when === 'later') await setImmediate()
                await work(req, sessions)
              })
              .catch((reason: unknown) => reason)
            await req.session.save()
            res.json([error instanceof TypeError, String(error), req.session.seats ?? null])
          })
        },
        { store: makeStore() },
      )
      for (const begun of [true, false]) {
        const browser = new Browser(url)
        if (begun) await browser.get('/begin')
        const answers = [await browser.get('/now'), await browser.get('/later')].map(({ text }) => text)
        expect(answers[0]).toContain('nothing else')
        expect(answers[1]).toBe(answers[0])
        expect(answers[0]).toBe(JSON.stringify([true, JSON.parse(answers[0] ?? '')[1], begun ? 1 : null]))
      }
      await store.close()
    },
  )
})
