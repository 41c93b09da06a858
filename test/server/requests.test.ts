// What every request meets before the membership does, whatever it asks for.
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { selfSigned } from '../support/certificate.ts'
import { freePort } from '../support/program.ts'
import {
  ask,
  newFolder,
  PRODUCTION,
  post,
  sharedServer,
  speakRaw,
  startServer,
  type TestServer,
  writeFiles,
} from '../support/server.ts'

const plain = sharedServer()
const production = sharedServer({ env: PRODUCTION })
const hostOf = (server: TestServer) => new URL(server.url).host
const browser = { Accept: 'text/html' }

describe('the site', () => {
  test('a visitor finds a front page, registers, and finds themselves', async () => {
    const server = plain()
    const home = await (await fetch(server.url)).text()
    expect(home).toContain('href="/login"')
    expect(home).toContain('href="/register"')
    const registered = await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })
    expect(registered.status).toBe(201)
    const cookie = String(registered.headers['set-cookie']?.[0]?.split(';')[0])
    const page = await ask('/', { port: server.port, headers: { Host: hostOf(server), Cookie: cookie, ...browser } })
    expect([page.status, page.text.includes('anna'), page.text.includes('href="/profile"')]).toEqual([200, true, true])
  })

  test('an unknown path is 404, as a page and as a problem; the front page takes no POST', async () => {
    const server = plain()
    const page = await fetch(`${server.url}/nothing/here`, { headers: browser })
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    const problem = await fetch(`${server.url}/api/nothing`)
    expect([problem.status, problem.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8'])
    expect(await problem.json()).toMatchObject({ code: 'not_found', requestId: problem.headers.get('x-request-id') })
    const written = await fetch(server.url, { method: 'POST' })
    expect([written.status, written.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  test('X-04 somebody who tries the paths that scanners try finds none of them in production', async () => {
    const server = production()
    const headers = { Host: 'example.org' }
    const paths = ['.env', '.git/config', 'package.json', 'src/index.ts', 'node_modules', 'data/guildhall.db', 'data/secret']
    const tools = ['debug', 'debug/vars', 'test', 'docs', 'swagger', 'graphql', 'admin', 'console', 'server-status', 'metrics']
    for (const path of [...paths, ...tools, ...tools.map((tool) => `api/${tool}`)]) {
      for (const method of ['GET', 'POST']) {
        const { status } = await ask(`/${path}`, { port: server.port, method, headers })
        expect([method, path, status]).toEqual([method, path, 404])
      }
    }
  })

  test('W-08: every answer has the headers of the internals, and none tells the program', async () => {
    const server = plain()
    for (const path of ['/', '/login', '/nothing', '/healthz', '/readyz', '/metrics', '/api/profile', '/%', '/profile']) {
      const { headers } = await fetch(server.url + path, { redirect: 'manual', headers: browser })
      expect(headers.get('content-security-policy'), path).toContain("default-src 'none'")
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('cache-control'), path).toBe('no-store')
      expect(headers.get('x-request-id'), path).toMatch(/^[0-9a-f-]{36}$/)
      expect([headers.get('x-powered-by'), headers.get('server'), headers.get('strict-transport-security')], path).toEqual([
        null,
        null,
        null,
      ])
    }
  })
})

describe('I-13: the host check', () => {
  test('in production another name is 421, whatever is asked', async () => {
    const { port } = production()
    const status = async (host: string, path = '/login') =>
      (await ask(path, { port, headers: { Host: host, ...browser } })).status
    expect(await status('example.org')).toBe(200)
    expect(await status('EXAMPLE.org:443')).toBe(200)
    for (const host of ['evil.example', 'example.org:444', 'example.org.evil.example', `127.0.0.1:${port}`, ''])
      expect(await status(host), host).toBe(421)
    expect(await status('evil.example', '/healthz')).toBe(200)
    expect(await status('evil.example', '/readyz')).toBe(200)
    const problem = await ask('/api/profile', { port, headers: { Host: 'evil.example' } })
    expect(JSON.parse(problem.text)).toMatchObject({ status: 421, code: 'wrong_host' })
    // A whole URL in the request line counts more than the header.
    const whole = await speakRaw(port, 'GET http://evil.example/login HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n')
    expect(whole.answer).toContain('HTTP/1.1 421')
  })

  test('a request that names two hosts is 400, whichever comes first', async () => {
    const { port } = production()
    for (const hosts of ['Host: example.org\r\nHost: evil.example', 'Host: example.org\r\nhOST: example.org']) {
      const { answer } = await speakRaw(port, `GET /healthz HTTP/1.1\r\n${hosts}\r\nConnection: close\r\n\r\n`)
      expect(answer, hosts).toMatch(/^HTTP\/1\.1 400 /)
    }
  })

  test('behind a proxy that keeps Host to itself, the log names what came and what was expected, and not for every request', async () => {
    const server = await startServer({ env: PRODUCTION })
    for (let n = 0; n < 5; n++) await ask('/login', { port: server.port, headers: { Host: 'app:3000' } })
    await server.stop()
    const reported = server.lines().filter(({ expected }) => expected !== undefined)
    expect(reported).toEqual([expect.objectContaining({ level: 'warn', host: 'app:3000', expected: 'example.org' })])
    expect(reported[0]?.msg).toContain('must pass Host on')
  })

  test('a developer behind such a proxy is not sent in circles', async () => {
    const { port } = await startServer({ env: { BASE_URL: 'http://members.test' } })
    const statuses: number[] = []
    for (let n = 0; n < 6; n++) statuses.push((await ask('/login', { port, headers: { Host: 'app:3000', ...browser } })).status)
    expect(statuses).toEqual([303, 303, 303, 421, 421, 421])
    // Another address is another matter.
    expect((await ask('/register', { port, headers: { Host: 'app:3000', ...browser } })).status).toBe(303)
  })

  test('in development a person is led to the right name, a program is told', async () => {
    const { port, url } = plain()
    const visit = await ask('/login?returnTo=%2Fprofile', { port, headers: { Host: `127.0.0.1:${port}`, ...browser } })
    expect([visit.status, visit.headers.location]).toEqual([303, `${url}/login?returnTo=%2Fprofile`])
    expect((await ask('/api/profile', { port, headers: { Host: `127.0.0.1:${port}` } })).status).toBe(421)
    expect((await ask('/login', { port, method: 'POST', headers: { Host: `127.0.0.1:${port}` } })).status).toBe(421)
  })
})

describe('C-08: the origin check', () => {
  test.each([
    'text/plain',
    'multipart/form-data; boundary=x',
    'APPLICATION/JSON',
    undefined,
    'application/x-www-form-urlencoded; x',
  ])('a write from another site is refused, whatever it says it is: %s', async (type) => {
    const server = plain()
    const headers = { Host: hostOf(server), 'Sec-Fetch-Site': 'cross-site', ...(type !== undefined && { 'Content-Type': type }) }
    for (const path of ['/login', '/api/logout', '/nothing/here', '/', '/healthz', '/metrics']) {
      const { status } = await ask(path, { port: server.port, method: 'POST', headers, body: '{"username":"x"}' })
      expect(status, path).toBe(403)
    }
    for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      expect((await ask('/nothing', { port: server.port, method, headers })).status, method).toBe(403)
    }
  })

  test('an origin that looks like ours is not ours; a listed one is welcome', async () => {
    const server = await startServer({ env: { ...PRODUCTION, TRUSTED_ORIGINS: 'https://app.example.org' } })
    const from = async (origin: string) =>
      (await ask('/nothing', { port: server.port, method: 'POST', headers: { Host: 'example.org', Origin: origin } })).status
    expect(await from('https://example.org')).toBe(404)
    expect(await from('https://app.example.org')).toBe(404)
    for (const origin of ['http://example.org', 'https://example.org:444', 'https://example.org.evil.example', 'null']) {
      expect(await from(origin), origin).toBe(403)
    }
  })
})

test('methods that nobody needs are refused, and the server lives on', async () => {
  const server = plain()
  const host = hostOf(server)
  const status = async (text: string) => Number((await speakRaw(server.port, text)).answer.split(' ')[1])
  const line = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
  expect(await status(line('TRACE', '/'))).toBe(405)
  expect(await status(line('TRACE', '/login'))).toBe(405)
  expect(await status(line('PROPFIND', '/login'))).toBe(405)
  expect(await status(line('CONNECT', 'evil.example:443'))).toBe(405)
  expect(await status(line('FROBNICATE', '/'))).toBe(501)
  expect(await status(line('OPTIONS', '*'))).toBe(404)
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

test('I-06: nonsense is the visitor’s fault, and the server lives on', async () => {
  const server = plain()
  const host = hostOf(server)
  const get = async (path: string, headers = '') => {
    const { answer } = await speakRaw(
      server.port,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n${headers}Connection: close\r\n\r\n`,
    )
    return Number(answer.split(' ')[1])
  }
  expect(await get('/%')).toBe(400)
  expect(await get('/%C0')).toBe(400)
  expect(await get('/account/sessions/%/end')).toBe(405)
  expect(await get(`/${'a'.repeat(15_000)}`)).toBe(404)
  expect(await get(`/${'a'.repeat(17_000)}`)).toBe(431)
  expect(await get('/login', '__proto__: x\r\nconstructor: y\r\n')).toBe(200)
  const many = Array.from({ length: 2000 }, (_, at) => `x-${at}: y\r\n`).join('')
  expect(await get('/login', many)).toBe(431)
  expect(await get('/login', 'X: a\0b\r\n')).toBe(400)
  expect(await get('/login', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n')).toBe(400)
  expect((await speakRaw(server.port, '\x16\x03\x01\x00garbage\r\n\r\n')).answer).toMatch(/^HTTP\/1\.1 (?:400|501)/)
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
})

describe('HTTPS', () => {
  test('W-06: HSTS is sent where people come by https, and only there', async () => {
    const { port } = production()
    for (const path of ['/', '/login', '/nothing', '/healthz', '/api/profile']) {
      const { headers } = await ask(path, { port, headers: { Host: 'example.org' } })
      expect(headers['strict-transport-security'], path).toBe('max-age=31536000')
    }
  })

  test.each([
    [
      'an operator who says so promises https for every subdomain too',
      { HSTS: 'subdomains' },
      'max-age=31536000; includeSubDomains',
    ],
    ['an operator who is not sure yet promises nothing', { HSTS: 'off' }, undefined],
    ['a site of this machine itself promises nothing', { BASE_URL: 'https://members.localhost' }, undefined],
    ['a site by http promises nothing', { BASE_URL: 'http://example.org', INSECURE_HTTP: 'on', HSTS: 'subdomains' }, undefined],
  ])('%s', async (_title, env, expected) => {
    const { port } = await startServer({ env: { ...PRODUCTION, ...env } })
    expect((await ask('/healthz', { port })).headers['strict-transport-security']).toBe(expected)
  })

  test('a browser that knows only suites without forward secrecy, or with CBC, does not get in', async () => {
    const { port, ca } = await serveTls({}, 'rsa')
    const versionOf = (ciphers: string, maxVersion: 'TLSv1.2' | 'TLSv1.3') => shakeHands(port, { ca, ciphers, maxVersion })
    for (const suite of ['AES128-GCM-SHA256', 'AES256-SHA', 'ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384'])
      expect(await versionOf(`${suite}:@SECLEVEL=0`, 'TLSv1.2'), suite).toMatch(/^refused/)
    expect(await versionOf('ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2')).toBe('TLSv1.2')
    expect(await versionOf('TLS_AES_128_GCM_SHA256', 'TLSv1.3')).toBe('TLSv1.3')
  })

  test('somebody who types the name without https is led there, and what they would have posted is not taken', async () => {
    const redirectPort = await freePort()
    const { url } = await serveTls({ REDIRECT_PORT: String(redirectPort) })
    const led = await ask('/login?returnTo=%2Fdiary', { port: redirectPort, headers: { Host: 'anything' } })
    expect([led.status, led.headers.location]).toEqual([308, `${url}/login?returnTo=%2Fdiary`])
    expect((await ask('/login', { port: redirectPort, method: 'POST', body: 'username=anna' })).status).toBe(405)
  })

  test('with a certificate it serves HTTPS itself, with cookies for HTTPS alone', async () => {
    const { ca, ...server } = await serveTls()
    expect(server.url).toBe(`https://localhost:${server.port}`)
    const body = JSON.stringify({ username: 'anna', password: 'violet harbour lantern' })
    const headers = { Host: hostOf(server), 'Content-Type': 'application/json' }
    const { status, headers: got } = await ask('/api/register', { port: server.port, method: 'POST', headers, body, ca })
    expect(status).toBe(201)
    expect(got['set-cookie']?.[0]).toMatch(/^__Host-guildhall=.*Secure/)
    // The header would hold for every other site at localhost.
    expect(got['strict-transport-security']).toBeUndefined()
    // Plain HTTP at the port of HTTPS gets no answer.
    expect((await speakRaw(server.port, `GET / HTTP/1.1\r\nHost: ${hostOf(server)}\r\n\r\n`)).answer).not.toContain('200 OK')
  })
})

describe('F-41: slow ones are cut', () => {
  test('a client that never finishes the headers, or the body, loses the connection after some seconds; others are served meanwhile', async () => {
    const server = await startServer()
    const host = hostOf(server)
    const slow = [
      speakRaw(server.port, ''),
      speakRaw(server.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nX-`),
      speakRaw(
        server.port,
        `POST /login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nuser`,
      ),
    ]
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    for (const { ms } of await Promise.all(slow)) {
      expect(ms).toBeGreaterThan(5000)
      // Ours are ten and fifteen seconds. Node's own, which a server without them would have, are a minute and five.
      expect(ms).toBeLessThan(50_000)
    }
  })
})

/** A server that speaks HTTPS itself, with a certificate of its own. */
async function serveTls(
  env: Readonly<Record<string, string>> = {},
  keyType: 'ec' | 'rsa' = 'ec',
): Promise<TestServer & { readonly ca: string }> {
  const folder = newFolder()
  const { key, cert: ca } = selfSigned(keyType)
  writeFiles(folder, { 'key.pem': key, 'cert.pem': ca })
  return { ...(await startServer({ folder, env: { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem', ...env } })), ca }
}

/** The version of TLS that both agree on, or that there is none. */
function shakeHands(port: number, options: Pick<ConnectionOptions, 'ca' | 'ciphers' | 'maxVersion'>): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ...options }, () => {
      resolve(String(socket.getProtocol()))
      socket.destroy()
    })
    socket.on('error', (error) => resolve(`refused: ${error.message}`))
  })
}
