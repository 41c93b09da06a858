// The marker beside a Strict session cookie, and the page that reloads: which requests get it, and how often.
import { MemoryStore } from 'guildhall/session'
import { describe, expect, test } from 'vitest'
import { newToken } from '../../src/domain/secret.ts'
import { application, Browser, COOKIE, countingStore, namesOf, send } from './support.ts'

const FROM_ELSEWHERE = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
const MARKED = 'sid-seen=1'

function shop(options: Parameters<typeof application>[1] = {}) {
  return application((app) => {
    app.all('/add', (req, res) => {
      req.session.views = (req.session.views ?? 0) + 1
      res.json(req.session.views)
    })
    app.get('/end', async (req, res) => {
      await req.session.destroy()
      res.json('ended')
    })
    app.use((req, res) => {
      res.json(req.session.views ?? 'nothing')
    })
  }, options)
}

const isReload = (text: string) => text.startsWith('<!doctype html>')

describe('somebody who comes from another site with a marker and no session cookie', () => {
  test('is asked once more, at whatever path, before any handler', async () => {
    const { store, calls } = countingStore()
    const { url } = await shop({ store })
    for (const path of ['/', '/add', '/api/add?x=1', '/assets/style.css']) {
      const { status, headers, text, setCookies } = await send(url + path, { headers: FROM_ELSEWHERE, cookie: MARKED })
      expect([path, status, headers.get('cache-control')]).toEqual([path, 200, 'no-store'])
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
      expect(text).toContain(`<meta http-equiv="refresh" content="0; url=./${path.slice(path.lastIndexOf('/') + 1)}">`)
      expect(namesOf(setCookies)).toEqual(['sid-seen'])
    }
    expect(calls).toEqual([])
  })

  test('is led to no other site and into no tag by the address', async () => {
    const { url } = await shop()
    const at = async (path: string) => (await send(url + path, { headers: FROM_ELSEWHERE, cookie: MARKED })).text
    for (const path of ['//evil.example', '//evil.example/x?y']) {
      expect(await at(path)).not.toContain('refresh')
      expect(await at(path)).toContain('<a href="/">')
    }
    expect(await at("/a'?b=%22&c=d")).toContain('content="0; url=./a&#39;?b=%22&amp;c=d"')
    expect(await at('/x/javascript:alert(1)')).toContain('url=./javascript:alert(1)"')
  })

  test('is answered without a session after the third time within ten seconds, and begins none then', async () => {
    const { url, clock, store } = await shop()
    const browser = new Browser(url)
    browser.marker = MARKED
    const come = () => browser.get('/add', { headers: FROM_ELSEWHERE })
    for (const from of [0, 1]) {
      for (const count of [1, 2, 3]) {
        expect(isReload((await come()).text)).toBe(true)
        expect(browser.marker).toMatch(new RegExp(`^sid-seen=${count}\\.\\d+$`))
        clock.forward(3000)
      }
      const { text, setCookies } = await come()
      expect([from, text, setCookies]).toEqual([from, '1', []])
      clock.forward(1000)
    }
    expect(store.list?.(clock.now(), 10)).toEqual([])
  })

  test('is not misled by a marker that somebody else has set', async () => {
    const { url, clock } = await shop()
    const now = clock.now()
    for (const planted of [`3.${now + 60_000}`, `3.${now - 20_000}`, '9.x', '', '0.1', `3${now}`, '1; sid-seen=1'])
      expect([planted, isReload((await send(url, { headers: FROM_ELSEWHERE, cookie: `sid-seen=${planted}` })).text)]).toEqual([
        planted,
        true,
      ])
    // What has counted is not hidden behind one that has not.
    const counted = await send(url, { headers: FROM_ELSEWHERE, cookie: `sid-seen=1; sid-seen=3.${now}; sid-seen=x` })
    expect(isReload(counted.text)).toBe(false)
  })

  test('and sends a form, a picture or a script’s request is given no session, and loses none', async () => {
    const { url } = await shop()
    for (const [method, mode, dest] of [
      ['POST', 'navigate', 'document'],
      ['GET', 'no-cors', 'image'],
      ['GET', 'cors', 'empty'],
      ['GET', 'navigate', 'iframe'],
      ['HEAD', 'navigate', 'document'],
    ] as const) {
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode, 'sec-fetch-dest': dest }
      for (const cookie of [undefined, MARKED]) {
        const { text, setCookies } = await send(`${url}/add`, { method, headers, ...(cookie !== undefined && { cookie }) })
        expect([method, dest, isReload(text), setCookies]).toEqual([method, dest, false, []])
      }
    }
  })
})

test('a new visitor from another site begins a session as any other', async () => {
  for (const sameSite of ['strict', 'lax'] as const) {
    const browser = new Browser((await shop({ cookie: { ...COOKIE, sameSite } })).url)
    expect((await browser.get('/add', { headers: FROM_ELSEWHERE })).text).toBe('1')
    expect((await browser.get('/add')).text).toBe('2')
  }
})

test('with a Lax cookie there is no marker, and one that is left is of no account', async () => {
  const { url } = await shop({ cookie: { ...COOKIE, sameSite: 'lax' } })
  expect(namesOf((await send(`${url}/add`)).setCookies)).toEqual(['sid'])
  expect((await send(`${url}/add`, { headers: FROM_ELSEWHERE, cookie: MARKED })).text).toBe('1')
})

describe('the marker', () => {
  test('has the lifetime, path and domain of the session cookie, and goes with it', async () => {
    const cookie = { ...COOKIE, path: '/', domain: 'example.org', maxAgeMs: 600_000 }
    const { url } = await shop({ cookie })
    const [session = '', marker = ''] = (await send(`${url}/add`)).setCookies
    const attributes = session.slice(session.indexOf(';'))
    expect(marker).toBe(`sid-seen=1${attributes.replace('SameSite=Strict', 'SameSite=Lax')}`)
    const browser = new Browser(url)
    await browser.get('/add')
    expect(namesOf((await browser.get('/end')).setCookies)).toEqual(['sid', 'sid-seen'])
    expect(browser.header).toBe('')
  })

  test('is set where a live session comes without it, or with one that counts, and else left alone', async () => {
    const { url } = await shop()
    const browser = new Browser(url)
    await browser.get('/add')
    for (const markers of ['', '; sid-seen=2.1800000000000']) {
      const { setCookies } = await send(url, { cookie: browser.cookie + markers })
      expect(setCookies).toEqual(['sid-seen=1; Path=/; HttpOnly; SameSite=Lax'])
    }
    expect((await send(url, { cookie: browser.header })).setCookies).toEqual([])
    expect((await send(url, { cookie: `sid=${newToken()}` })).setCookies).toEqual([])
  })

  test('alone is taken away by the first request of this site, which begins anew', async () => {
    const { url } = await shop()
    for (const site of ['same-origin', 'none']) {
      const looked = await send(url, { headers: { 'sec-fetch-site': site }, cookie: MARKED })
      expect([looked.text, looked.setCookies.length, looked.setCookies[0]]).toEqual([
        '"nothing"',
        1,
        expect.stringMatching(/^sid-seen=;.*Max-Age=0/),
      ])
      const added = await send(`${url}/add`, { headers: { 'sec-fetch-site': site }, cookie: MARKED })
      expect(namesOf(added.setCookies)).toEqual(['sid', 'sid-seen'])
    }
    // A page of another name below the same domain does not show that the cookie is gone.
    expect((await send(url, { headers: { 'sec-fetch-site': 'same-site' }, cookie: MARKED })).setCookies).toEqual([])
  })

  test('means the same to a browser that sends no Fetch Metadata', async () => {
    const { url } = await shop()
    const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
    expect(isReload((await send(`${url}/add`, { headers: { accept }, cookie: MARKED })).text)).toBe(true)
    const scripted = await send(`${url}/add`, { headers: { accept: '*/*' }, cookie: MARKED })
    expect([scripted.text, scripted.setCookies]).toEqual(['1', []])
    const again = await send(`${url}/add`, { headers: { accept, referer: `${url}/add` }, cookie: 'sid-seen=1.1800000000000' })
    expect([again.text, namesOf(again.setCookies)]).toEqual(['1', ['sid', 'sid-seen']])
  })
})

describe('a Cookie header', () => {
  test('with a $Version of a sibling site in front is read as browsers mean it, at a visit and at a logout', async () => {
    const { url } = await shop()
    const browser = new Browser(url)
    await browser.get('/add')
    const cookie = `$Version=1; ${browser.header}`
    expect((await send(url, { cookie })).text).toBe('1')
    const ended = await send(`${url}/end`, { cookie })
    expect([ended.text, namesOf(ended.setCookies)]).toEqual(['"ended"', ['sid', 'sid-seen']])
    expect((await send(url, { cookie: browser.header })).text).toBe('"nothing"')
  })

  test('with 230 made-up ids costs four look-ups and one deletion', async () => {
    const { store, calls } = countingStore(new MemoryStore())
    const { url } = await shop({ store })
    const cookie = Array.from({ length: 230 }, () => `sid=${newToken()}`).join('; ')
    await send(`${url}/end`, { cookie })
    expect(calls.filter((call) => call !== 'attach' && call !== 'keyOf')).toEqual(['find', 'find', 'find', 'find', 'delete'])
  })
})
