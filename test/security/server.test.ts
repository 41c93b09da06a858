// What only the whole server can promise: C-08, C-12, C-14, C-16, I-06, I-12, I-13, I-14, I-15 and W-06.
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { sharedServer, startServer, type TestServer, type Variables } from '../support/server.ts'
import { GOOD_PASSWORD } from '../support/visitor.ts'
import { attackOn, type Known } from './arbitraries.ts'
import { dump } from './dump.ts'
import { bodyFor, LEAK, ROUTES } from './site-map.ts'
import { ask, type Call, type Reply, rawBytes, statusesOf } from './wire.ts'

/** `REQUESTS=100000` for a long run; the quick run sends fewer. */
const REQUESTS_PER_ROUTE = Number(process.env.REQUESTS ?? (process.env.REQUIRE_ALL === '1' ? 100 : 30))
const EVIL = 'https://evil.example'

interface Environment {
  readonly server: TestServer
  readonly base: string
  readonly cookie: string
  send(path: string, call?: Omit<Call, 'headers'> & { readonly headers?: Record<string, string> }): Promise<Reply>
}

const ENV = { RATE_LIMIT: 'off', LOG_FORMAT: 'json' }
const open = async (env: Variables = {}) => enter(await startServer({ env: { ...ENV, ...env } }))

/** Alice logged in. Requests go to the server's port whatever its BASE_URL says. */
async function enter(server: TestServer): Promise<Environment> {
  const base = `http://localhost:${server.port}`
  const host = new URL(server.url).host
  const send: Environment['send'] = (path, call = {}) => ask(base, path, { ...call, headers: { host, ...call.headers } })
  const { type, body } = bodyFor('api', { username: 'alice', password: GOOD_PASSWORD })
  const registered = await send('/api/register', { method: 'POST', headers: { 'content-type': type }, body })
  expect(registered.status).toBe(201)
  return { server, base, send, cookie: registered.setCookies.map((line) => line.split(';')[0]).join('; ') }
}

const sharedOne = sharedServer({ env: ENV })
/** For tests that leave the server as it was. */
let shared: Environment
beforeAll(async () => {
  shared = await enter(sharedOne())
})

const OWN_PATHS = [
  '/',
  '/healthz',
  '/readyz',
  '/metrics',
  '/nothing-here',
  '/api/nothing',
  '/api',
  '/assets/x.css',
  '/robots.txt',
  '//',
  '/%',
]

test('C-08 the server refuses every unsafe request from elsewhere, with our cookie or without, on every path', async () => {
  const { send, cookie } = shared
  for (const path of [...OWN_PATHS, ...ROUTES.map((place) => place.path)])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'PURGE'])
      for (const headers of [
        { 'sec-fetch-site': 'cross-site' },
        { origin: EVIL },
        { 'sec-fetch-site': 'same-site', cookie },
        { origin: 'null', cookie },
      ]) {
        const reply = await send(path, { method, headers, body: 'x' })
        expect([method, path, headers, reply.status, reply.setCookies]).toEqual([method, path, headers, 403, []])
      }
  expect((await send('/api/profile', { headers: { cookie } })).status).toBe(200)
})

test('C-12 crawling the whole server changes nothing, and C-14 nothing is told to other origins', async () => {
  const { server, send, cookie } = shared
  const before = await dump({ database: `sqlite:${join(server.folder, 'data/guildhall.db')}` })
  for (let round = 0; round < 2; round++)
    for (const path of [...OWN_PATHS, ...ROUTES.map((place) => place.path)])
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE'])
        for (const headers of [{ cookie }, { origin: EVIL, cookie }, { origin: 'null' }]) {
          const reply = await send(path, { method, headers })
          expect([method, path, reply.status < 500, reply.setCookies]).toEqual([method, path, true, []])
          expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
        }
  expect(await dump({ database: `sqlite:${join(server.folder, 'data/guildhall.db')}` })).toEqual(before)
})

test('C-16 methods that nobody serves are refused, by the program and by the parser', async () => {
  const { base, send } = shared
  for (const path of [...OWN_PATHS.filter((one) => !one.startsWith('/%')), '/login'])
    for (const method of ['TRACE', 'PROPFIND', 'PURGE', 'MKCOL'])
      expect([method, path, (await send(path, { method })).status]).toEqual([method, path, 405])
  expect(statusesOf(await rawBytes(base, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'))).toEqual([405])
  expect(statusesOf(await rawBytes(base, 'HACK / HTTP/1.1\r\nHost: localhost\r\n\r\n'))).toEqual([501])
})

test('I-13 a host that is not ours is 421 or led home, and no header talks the server out of it', async () => {
  const { base, send, server, cookie } = shared
  const hosts = [
    'evil.example',
    `evil.example:${server.port}`,
    'localhost',
    'localhost:1',
    `localhost.evil.example:${server.port}`,
    `evil.example#localhost:${server.port}`,
    `localhost:${server.port}.evil.example`,
    `localhost:${server.port}@evil.example`,
    '',
    '[::1]',
    'LOCALHOST.',
  ]
  for (const host of hosts) {
    const opened = await send('/api/profile', { headers: { host, cookie, 'x-forwarded-host': `localhost:${server.port}` } })
    expect([host, opened.status, opened.text.includes('"username"')]).toEqual([host, 421, false])
    const posted = await send('/login', {
      method: 'POST',
      headers: { host, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'username=alice',
    })
    expect([host, posted.status, posted.setCookies]).toEqual([host, 421, []])
    const visited = await send('/login?x=//evil', { headers: { host, accept: 'text/html' } })
    expect([host, visited.status, new URL(String(visited.headers.location)).origin]).toEqual([host, 303, base])
  }
  for (const target of ['//evil.example/x', 'http://evil.example/login', '/\\evil.example']) {
    const came = await rawBytes(base, `GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)
    expect([target, new URL(/^location: (.*)\r$/im.exec(came)?.[1] ?? '').origin]).toEqual([target, base])
  }
  for (const head of ['Host: evil.example\r\nHost: localhost', 'X: y', `Host: localhost:${server.port}\r\nHost: evil.example`])
    expect([
      head,
      statusesOf(await rawBytes(base, `GET /api/profile HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`)).every(
        (status) => status >= 400 && status < 500,
      ),
    ]).toEqual([head, true])
  for (const path of ['/healthz', '/readyz'])
    expect([path, (await send(path, { headers: { host: '10.0.0.1' } })).status]).toEqual([path, 200])
})

test('I-06 a whole URL in the request line, readable or not, is answered', async () => {
  const { base } = shared
  const { host } = new URL(base)
  for (const prefix of ['http://a:99999', 'http://[', 'http://', 'http:', '//[', 'http://%', `http://${host}`])
    for (const path of ['/', '/login', '/register?returnTo=/x', '/api/profile', '/nothing', '/metrics', ''])
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const came = await rawBytes(
          base,
          `${method} ${prefix}${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        )
        expect([method, prefix + path, statusesOf(came)]).toEqual([
          method,
          prefix + path,
          [expect.toSatisfy((status: number) => status >= 200 && status < 500)],
        ])
        expect(came).not.toMatch(LEAK)
      }
})

test('I-12 two lengths, two line ends: 400, and nothing is smuggled', async () => {
  const { base, cookie } = shared
  const { host } = new URL(base)
  const hidden = `GET /api/profile HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
  const first = (lines: string, body: string) =>
    `POST /api/login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${lines}\r\n${body}${hidden}`
  const attacks = [
    first('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    first('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'),
    first('Content-Length: 0\r\nContent-Length: 5\r\n', ''),
    first('Transfer-Encoding : chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'),
    first('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    first('Transfer-Encoding: chunked\r\n', '2\n{}\r\n0\r\n\r\n'),
    first('Transfer-Encoding: chunked\r\n', '2;a\n{}\r\n0\r\n\r\n'),
    first('X: y\nContent-Length: 0\r\n', ''),
    `GET / HTTP/1.1\nHost: ${host}\n\n${hidden}`,
  ]
  for (const attack of attacks) {
    const came = await rawBytes(base, attack)
    expect([attack.slice(0, 160), statusesOf(came).at(-1), came.includes('"username"')]).toEqual([
      attack.slice(0, 160),
      400,
      false,
    ])
  }
})

test('I-14 what a visitor sends stays in its own line of the log', async () => {
  const { server, send } = await open()
  const evil = '\n{"level":"info","msg":"all is well"}'
  const headers = { 'content-type': 'application/json', 'user-agent': 'a"}{"level"' }
  for (const path of ['/api/register', '/api/login'])
    await send(path, { method: 'POST', headers, body: JSON.stringify({ username: evil, password: GOOD_PASSWORD }) })
  await send(`/x%0a${encodeURIComponent(evil)}`, { headers: { 'x-request-id': evil.trim() } })
  const { stdout } = await server.stop()
  for (const line of stdout.split('\n').filter(Boolean))
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.not.stringMatching('all is well') })
})

test('W-06 over https, and only there, browsers are told to stay there for a year', async () => {
  const secure = await open({ BASE_URL: 'https://app.example.org', HSTS: 'subdomains' })
  const plain = shared
  const expected = /^max-age=(?:3153600\d|[4-9]\d{7}|\d{9,}); includeSubDomains/
  for (const path of [...OWN_PATHS, '/login', '/profile', '/api/profile', '/api/login']) {
    const { headers, status } = await secure.send(path)
    expect([path, status, headers['strict-transport-security']]).toEqual([path, status, expect.stringMatching(expected)])
    expect((await plain.send(path)).headers['strict-transport-security']).toBeUndefined()
  }
  const refused = await secure.send('/login', { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } })
  expect(refused.headers['strict-transport-security']).toMatch(expected)
  expect(secure.cookie).toMatch(/^__Host-guildhall=/)
  for (const origin of ['http://app.example.org', 'https://app.example.org:444', 'null'])
    expect([
      origin,
      (await secure.send('/api/logout', { method: 'POST', headers: { origin, cookie: secure.cookie } })).status,
    ]).toEqual([origin, 403])
  expect(
    (await secure.send('/api/logout', { method: 'POST', headers: { origin: 'https://app.example.org', cookie: secure.cookie } }))
      .status,
  ).toBe(204)
})

test('W-01 W-03 W-05 W-08 what the server adds to the membership has the same headers', async () => {
  const { send } = shared
  for (const path of OWN_PATHS)
    for (const method of ['GET', 'POST', 'TRACE', 'OPTIONS', 'HEAD']) {
      const { headers, status } = await send(path, { method, headers: { accept: 'text/html' } })
      // The same for everybody, and it has a tag to be asked for again.
      const isShared = path === '/robots.txt' && status === 200
      const seen = {
        cache: headers['cache-control'],
        sniff: headers['x-content-type-options'],
        csp: headers['content-security-policy'],
        names: [headers['x-powered-by'], headers.server, headers.etag],
      }
      expect([method, path, status, seen]).toEqual([
        method,
        path,
        status,
        {
          cache: isShared ? 'public, max-age=86400' : 'no-store',
          sniff: 'nosniff',
          csp: expect.stringContaining("default-src 'none'"),
          names: [undefined, undefined, isShared ? expect.any(String) : undefined],
        },
      ])
    }
})

test('I-15 random requests make the server neither fail nor tell', { timeout: 24 * 3_600_000 }, async () => {
  const { server, base, cookie, send } = await open()
  const known: Known = { cookies: [cookie, 'guildhall=x'], origin: base }
  const host = new URL(server.url).host
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  const places = [...ROUTES, ...OWN_PATHS.map((path) => ({ path, endpoint: 'page', input: undefined }) as const)]
  for (const [number, place] of places.entries()) {
    const attacks = fc.sample(attackOn(place, known), { numRuns: REQUESTS_PER_ROUTE, seed: seed + number })
    for (const attack of attacks) {
      const pairs = Array.isArray(attack.headers) ? attack.headers : []
      const reply = await ask(base, attack.path, { ...attack, headers: [['host', host], ...pairs] }).catch((error: unknown) => {
        // What is no HTTP behind a request whose answer closed the connection: the client got two answers, and cannot tell them apart.
        if (error instanceof Error && 'code' in error && error.code === 'HPE_CLOSED_CONNECTION') return undefined
        throw error
      })
      if (reply === undefined) continue
      const echo = `${JSON.stringify(pairs)}${String(attack.body)}${attack.path}`
      const leak = LEAK.exec(reply.text)?.[0]
      const isReported = leak !== undefined && !echo.includes(leak)
      expect({ seed, attack, status: reply.status, isReported }).toEqual({
        seed,
        attack,
        status: expect.toSatisfy((status: number) => status >= 200 && status < 500),
        isReported: false,
      })
    }
  }
  expect((await send('/healthz')).status).toBe(200)
  expect(server.lines().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([])
})
