// F-33: `regenerate` while requests with the old id still run: they finish, write nothing and log nobody out.
import { describe, expect, test } from 'vitest'
import { application, Browser, HandClock, STORES, send } from './support.ts'

describe.each(STORES)('F-33 a bare regenerate on %s', (_name, makeStore) => {
  async function cart() {
    const clock = new HandClock()
    const store = makeStore()
    const { url } = await application(
      (app) => {
        app.get('/begin', (req, res) => {
          req.session.views = 1
          res.end()
        })
        app.get('/rotate', async (req, res) => {
          const { views } = req.session
          await req.session.regenerate()
          if (views !== undefined) req.session.views = views
          res.end()
        })
        app.get('/rotate-empty', async (req, res) => {
          await req.session.regenerate()
          res.end()
        })
        app.get('/write', (req, res) => {
          req.session.views = 99
          res.json(req.session.views)
        })
        app.get('/logout', async (req, res) => {
          await req.session.destroy()
          res.end()
        })
        app.get('/', (req, res) => {
          res.json(req.session.views ?? null)
        })
      },
      { store, clock },
    )
    return { url, clock, store }
  }

  test('logs nobody out: a late request with the old id reads the old data and gets no cookie', async () => {
    const { url, clock, store } = await cart()
    const browser = new Browser(url)
    await browser.get('/begin')
    const old = browser.cookie ?? ''
    await browser.get('/rotate')
    expect(browser.cookie).not.toBe(old)
    for (const path of ['/', '/write', '/rotate-empty', '/']) {
      const late = await send(url + path, { cookie: old })
      expect([path, late.status, late.setCookies]).toEqual([path, 200, []])
    }
    expect((await send(`${url}/`, { cookie: old })).text).toBe('1')
    expect((await browser.get('/')).text).toBe('1')
    clock.forward(10_000)
    expect((await send(`${url}/`, { cookie: old })).text).toBe('null')
    expect((await browser.get('/')).text).toBe('1')
    await store.close()
  })

  test('three requests that rotate at once leave one session that works', async () => {
    const { url, store } = await cart()
    for (let round = 0; round < 20; round++) {
      const browser = new Browser(url)
      await browser.get('/begin')
      await Promise.all(['/rotate', '/rotate', '/', '/write', '/rotate'].map((path) => browser.get(path)))
      expect((await browser.get('/')).text).not.toBe('null')
    }
    await store.close()
  })

  test('D-20 a logout ends the old one too, for every request with its id', async () => {
    const { url, store } = await cart()
    const browser = new Browser(url)
    await browser.get('/begin')
    const old = browser.cookie ?? ''
    await browser.get('/rotate')
    await browser.get('/logout')
    expect((await send(`${url}/`, { cookie: old })).text).toBe('null')
    await store.close()
  })

  test('the old id of the old id is dead at once', async () => {
    const { url, store } = await cart()
    const browser = new Browser(url)
    await browser.get('/begin')
    const first = browser.cookie ?? ''
    await browser.get('/rotate')
    await browser.get('/rotate')
    expect((await send(`${url}/`, { cookie: first })).text).toBe('null')
    expect((await browser.get('/')).text).toBe('1')
    await store.close()
  })
})
