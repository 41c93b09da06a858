// A session cookie never gets into a cache that serves everybody, however the answer says that it may be kept.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { application, Browser, namesOf, STORES, send } from './support.ts'

const PAGE = 'public, max-age=60'
const GUARDED = `${PAGE}, no-cache="Set-Cookie"`

/** Every way to say that a page may be kept. */
const WAYS: Readonly<Record<string, (res: ServerResponse) => void>> = {
  setHeader: (res) => {
    res.setHeader('Cache-Control', PAGE)
    res.end('page')
  },
  'writeHead with an object': (res) => {
    res.writeHead(200, { 'cache-control': PAGE, 'X-Own': 'yes' })
    res.end('page')
  },
  'writeHead with cookies of its own': (res) => {
    res.writeHead(200, 'fine', { 'Cache-Control': PAGE, 'Set-Cookie': 'a=1' })
    res.end('page')
  },
  'writeHead with a list': (res) => {
    res.writeHead(200, ['Cache-Control', PAGE, 'X-Own', 'yes'])
    res.end('page')
  },
  'writeHead with a list and cookies': (res) => {
    res.writeHead(200, ['Cache-Control', PAGE, 'Set-Cookie', 'a=1'])
    res.end('page')
  },
  stream: (res) => {
    res.setHeader('Cache-Control', PAGE)
    res.write('pa')
    res.end('ge')
  },
}

describe.each(STORES)('over %s', (_name, makeStore) => {
  test.each(Object.entries(WAYS))('somebody new gets a page that caches keep without the cookie: %s', async (_way, answer) => {
    const { url } = await application(
      (app) => {
        app.get('/', (req, res) => {
          req.session.views ??= 1
          answer(res)
        })
      },
      { store: makeStore() },
    )
    const browser = new Browser(url)
    const first = await browser.get('/')
    expect([first.text, first.headers.get('cache-control')]).toEqual(['page', GUARDED])
    expect(first.setCookies.filter((line) => line.startsWith('sid='))).toHaveLength(1)
    // Nothing is changed if no cookie of ours is set.
    browser.cookie = first.setCookies.find((line) => line.startsWith('sid='))?.split(';')[0]
    expect((await browser.get('/')).headers.get('cache-control')).toBe(PAGE)
  })
})

test('somebody who logs out gets a page that caches keep without taking the cookie of others away', async () => {
  const { url } = await application((app) => {
    app.get('/', (req, res) => {
      req.session.views = 1
      res.end()
    })
    app.get('/logout', async (req, res) => {
      await req.session.destroy()
      res.set('Cache-Control', PAGE).end()
    })
  })
  const browser = new Browser(url)
  await browser.get('/')
  expect((await browser.get('/logout')).headers.get('cache-control')).toBe(GUARDED)
})

test.each(['private, max-age=60', 'no-store', 'no-cache, no-store', 'public, no-cache="Set-Cookie"'])(
  'somebody new gets a page that no cache keeps with its cookie as it is: %s',
  async (policy) => {
    const { url } = await application((app) => {
      app.get('/', (req, res) => {
        req.session.views = 1
        res.set('Cache-Control', policy).end()
      })
    })
    const { headers, setCookies } = await send(url)
    expect([headers.get('cache-control'), namesOf(setCookies)]).toEqual([policy, ['sid', 'sid-seen']])
  },
)

test('somebody new whose first page is a file has a session, and no cache has it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'page.html'), 'a page')
  const { url } = await application((app) => {
    app.get('/', (req, res) => {
      req.session.views = 1
      res.sendFile('page.html', { root: folder })
    })
  })
  const { headers, setCookies, text } = await send(url)
  expect([text, namesOf(setCookies)]).toEqual(['a page', ['sid', 'sid-seen']])
  expect(headers.get('cache-control')).toBe('public, max-age=0, no-cache="Set-Cookie"')
})
