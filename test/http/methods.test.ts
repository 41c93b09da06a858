// The methods, spelling and format of each address, and what a page of a listed origin may read.
import { expect, test } from 'vitest'
import { siteOfTest } from '../support/artifacts.ts'
import type { Site } from '../support/site.ts'

const APP = 'https://app.example.org'

function ask(site: Site, method: string, path: string, headers: Record<string, string> = {}) {
  return site.visitor().send(path, { method, headers })
}

test('somebody who uses a method that an address does not take reads which it takes', async () => {
  const site = await siteOfTest({ features: { login: { page: { own: '/sign-in' } } } })
  const style = /href="(\/assets\/style[^"]+)"/.exec((await site.visitor().get('/register')).text)?.[1] ?? ''
  for (const [path, allow] of [
    ['/register', 'GET, HEAD, POST, OPTIONS'],
    ['/api/register', 'POST, OPTIONS'],
    ['/api/profile', 'GET, HEAD, POST, OPTIONS'],
    ['/account/security', 'GET, HEAD, OPTIONS'],
    ['/api/account/sessions', 'GET, HEAD, OPTIONS'],
    ['/account/sessions/some-id/end', 'POST, OPTIONS'],
    // The application shows the page; what is sent from it comes here.
    ['/login', 'GET, HEAD, POST, OPTIONS'],
    [style, 'GET, HEAD, OPTIONS'],
  ] as const) {
    const put = await ask(site, 'PUT', path)
    expect([path, put.status, put.headers.get('allow')]).toEqual([path, 405, allow])
    const options = await ask(site, 'OPTIONS', path)
    expect([path, options.status, options.headers.get('allow'), options.text]).toEqual([path, 204, allow, ''])
  }
  expect((await ask(site, 'HEAD', '/register')).status).toBe(200)
})

test('somebody who opens a page with a slash at its end is led to the one without, with all that they asked', async () => {
  const site = await siteOfTest({ path: '/members' })
  for (const [asked, location] of [
    ['/members/login/', '/members/login'],
    ['/members/login/?returnTo=%2Fdiary&x=%0d%0a', '/members/login?returnTo=%2Fdiary&x=%0d%0a'],
    ['/members/api/profile/', '/members/api/profile'],
    ['/members/account/security/?', '/members/account/security'],
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const led = await ask(site, method, asked)
      expect([asked, led.status, led.location]).toEqual([asked, 308, location])
    }
  }
  for (const path of ['/members/login//', '/members/', '/members/account/sessions/x/end/', '/members//login/'])
    expect([path, (await ask(site, 'GET', path)).status]).toEqual([path, 404])
  // What is sent was meant for another address.
  expect((await site.visitor().form('/members/login/', { username: 'anna', password: 'x' })).status).toBe(404)
  expect((await site.visitor().send('/members/api/login/', { method: 'POST' })).status).toBe(404)
})

test('a page that the application shows itself keeps its own spellings', async () => {
  const site = await siteOfTest({
    features: { login: { page: { own: '/sign-in' } } },
    routes: (app) => app.get('/login/', (_req, res) => void res.send('the application')),
  })
  expect((await site.visitor().get('/login/')).text).toBe('the application')
})

test('somebody who sends the wrong format is told which one this address takes, and where the other goes', async () => {
  const site = await siteOfTest({ path: '/members' })
  const visitor = site.visitor()
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const toApi = await visitor.send('/members/api/login', { method: 'POST', headers: form, body: 'username=anna' })
  expect(toApi.json()).toMatchObject({
    status: 415,
    detail: 'This address takes JSON: application/json in UTF-8. A form goes to /members/login.',
  })
  const json = { 'content-type': 'application/json', accept: 'text/html' }
  const toPage = await visitor.send('/members/login', { method: 'POST', headers: json, body: '{}' })
  expect(toPage.status).toBe(415)
  expect(toPage.text).toContain(
    'This address takes a form: application/x-www-form-urlencoded in UTF-8. JSON goes to /members/api/login.',
  )
  const noJson = await visitor.send('/members/language', { method: 'POST', headers: json, body: '{}' })
  expect(noJson.text).toContain('This address takes a form: application/x-www-form-urlencoded in UTF-8.</p>')
  const chinese = { ...form, 'accept-language': 'zh-TW' }
  const inChinese = await visitor.send('/members/api/login', { method: 'POST', headers: chinese, body: 'username=anna' })
  expect(inChinese.json().detail).toBe('這個網址接受 JSON：UTF-8 的 application/json。 表單請送到 /members/login。')
})

test('a program that is refused is not sent to the form on a page', async () => {
  const site = await siteOfTest()
  const visitor = site.visitor()
  const refusals = [
    await visitor.api('/login', '{'),
    await visitor.api('/login', {}),
    await visitor.api('/login', `"${'x'.repeat(17_000)}"`),
    await visitor.api('/profile'),
    await visitor.api('/logout', {}, { headers: { 'sec-fetch-site': 'cross-site' } }),
    await visitor.send('/api/login', { method: 'PUT' }),
    await visitor.send('/api/login', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }),
  ]
  expect(refusals.map(({ status }) => status)).toEqual([400, 422, 413, 401, 403, 405, 415])
  for (const refusal of refusals) expect(refusal.json().detail).not.toMatch(/\bpage\b|\bgo back\b|marked fields|send the form/i)
})

test('a page of a listed origin asks leave once, and reads when it may try again', async () => {
  const site = await siteOfTest({ trustedOrigins: [APP] })
  const preflight = await ask(site, 'OPTIONS', '/api/login', {
    origin: APP,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  })
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    'access-control-allow-origin': APP,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'Content-Type',
    'access-control-max-age': '7200',
  })
  const refused = await ask(site, 'POST', '/api/login', { origin: APP })
  expect(refused.headers.get('access-control-expose-headers')).toBe('Retry-After, X-Request-Id')
  const elsewhere = await ask(site, 'OPTIONS', '/api/login', { origin: 'https://evil.example' })
  expect([...elsewhere.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
})

test('somebody whose form comes back finds what they typed without what no page may hold', async () => {
  const site = await siteOfTest()
  const visitor = site.visitor()
  const back = await visitor.form('/register', {
    username: 'an\u0000na\u0085!',
    displayName: '\u0000',
    password: 'x',
    returnTo: '/a',
  })
  expect(back.status).toBe(422)
  expect(back.text).toContain('value="anna!"')
  const pages = [back, await visitor.get('/login?returnTo=/a%00b&notice=%00'), await visitor.get('/login?returnTo=%2Fa%C2%85')]
  for (const { text } of pages) expect(text).not.toMatch(/[^\P{Cc}\t\n]/u)
})
