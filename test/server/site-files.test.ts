// What visitors and machines ask any site for: health checks, robots.txt, an icon, security.txt.
import { expect, test } from 'vitest'
import { ask, newFolder, PRODUCTION, run, startServer } from '../support/server.ts'

test('a probe that uses another method on a health path reads, as JSON, which it takes', async () => {
  const server = await startServer()
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/metrics']) {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const refused = await fetch(server.url + path, { method })
      expect([path, refused.status, refused.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD, OPTIONS'])
      expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
      expect(await refused.json()).toMatchObject({ code: 'method_not_allowed' })
    }
    const options = await fetch(server.url + path, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    const led = await fetch(`${server.url}${path}/?a=1`, { redirect: 'manual' })
    expect([led.status, led.headers.get('location')]).toEqual([308, `${path}?a=1`])
  }
  const front = await fetch(server.url, { method: 'OPTIONS' })
  expect([front.status, front.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
})

test('a search engine reads where it need not look, a browser finds an icon, and both keep them for a while', async () => {
  const server = await startServer()
  const robots = await fetch(`${server.url}/robots.txt`)
  expect([robots.status, robots.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
  expect(await robots.text()).toBe('User-agent: *\nDisallow: /account/\nDisallow: /api/\n')
  const icon = await fetch(`${server.url}/favicon.ico`)
  expect([icon.status, icon.headers.get('content-type')]).toEqual([200, 'image/vnd.microsoft.icon'])
  // An ICO file begins with 0, then 1 for an icon, then how many pictures there are.
  expect([...new Uint16Array((await icon.arrayBuffer()).slice(0, 6))]).toEqual([0, 1, 1])
  expect(icon.headers.get('cache-control')).toBe('public, max-age=86400')
  const again = await fetch(`${server.url}/favicon.ico`, { headers: { 'if-none-match': `W/${icon.headers.get('etag')}` } })
  expect(again.status).toBe(304)
  expect((await fetch(`${server.url}/robots.txt`, { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  expect((await fetch(`${server.url}/.well-known/security.txt`)).status).toBe(404)
})

test('a password manager that knows only the site finds the page where the password is changed', async () => {
  const server = await startServer()
  const led = await fetch(`${server.url}/.well-known/change-password`, { redirect: 'manual' })
  expect([led.status, led.headers.get('location')]).toEqual([303, '/account/password'])
  expect((await fetch(`${server.url}/.well-known/change-password`, { method: 'POST' })).status).toBe(405)
})

test('somebody who found a weakness reads whom to tell, where the operator says so', async () => {
  const { port } = await startServer({ env: { ...PRODUCTION, SECURITY_CONTACT: 'mailto:security@example.org' } })
  const { status, text } = await ask('/.well-known/security.txt', { port, headers: { Host: 'example.org' } })
  const [, expires = ''] = /^Expires: (.*)$/m.exec(text) ?? []
  expect([status, text.replace(expires, 'X')]).toEqual([
    200,
    'Contact: mailto:security@example.org\nExpires: X\nCanonical: https://example.org/.well-known/security.txt\n',
  ])
  const days = (Date.parse(expires) - Date.now()) / 86_400_000
  expect([days > 178, days < 181]).toEqual([true, true])
})

test.each(['security@example.org', 'http://example.org', 'https://example.org/ x', 'mailto:a@b\nContact: mailto:c@d'])(
  'an operator who writes %j as the contact is told how it is written',
  async (SECURITY_CONTACT) => {
    const { stdout } = await run(['doctor'], { folder: newFolder(), env: { SECURITY_CONTACT } })
    expect(stdout).toMatch(/error +SECURITY_CONTACT must be an address like 'mailto:security@example.org'/)
  },
)
