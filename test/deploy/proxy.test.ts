// deploy/haproxy.cfg, byte for byte, over TLS in front of two real servers on PostgreSQL and Redis.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { join, resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../support/certificate.ts'
import { describeWith } from '../support/needs.ts'
import { describeOnPostgres, makeDatabase } from '../support/postgres.ts'
import { freePort } from '../support/program.ts'
import { describeOnRedis, REDIS_URL } from '../support/redis.ts'
import { type Answer, ask, newFolder, PRODUCTION, startServer, type TestServer, type Variables } from '../support/server.ts'

const CONFIGURATION = resolve(import.meta.dirname, '../../deploy/haproxy.cfg')
const password = 'violet harbour lantern'
const { cert, key } = selfSigned()

interface Environment {
  readonly port: number
  readonly httpPort: number
  readonly url: string
  readonly servers: readonly [TestServer, TestServer]
  restart(which: 0 | 1): Promise<void>
  log(): string
}

describeWith('haproxy', 'the proxy of the compose file', () => {
  describeOnPostgres('on PostgreSQL', () => {
    describeOnRedis('and Redis', () => {
      let environment: Environment
      beforeEach(async () => {
        environment = await openEnvironment()
      })

      const visit = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
        ask(path, { port: environment.port, ca: cert, headers: { Host: `localhost:${environment.port}`, ...headers } })
      const send = (path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
        ask(path, {
          port: environment.port,
          ca: cert,
          method: 'POST',
          headers: { Host: `localhost:${environment.port}`, 'Content-Type': 'application/json', ...headers },
          body: JSON.stringify(body),
        })

      test('F-41 a thousand requests that never become whole take nobody else’s place', async () => {
        const slow = Array.from({ length: 11 }, () => connectHttp2(environment.url, { ca: cert, servername: 'localhost' }))
        onTestFinished(() => {
          for (const session of slow) session.destroy()
        })
        for (const session of slow) {
          session.on('error', () => {})
          for (let stream = 0; stream < 100; stream++) {
            const headers = { ':method': 'POST', ':path': '/login', 'content-type': 'application/json', 'content-length': '100' }
            session
              .request(headers)
              .on('error', () => {})
              .write('abc')
          }
        }
        await after(1000)
        const began = performance.now()
        for (let n = 0; n < 5; n++) expect((await visit('/login')).status).toBe(200)
        // Behind the slow ones the wait would end when they are cut, after ten seconds or more.
        expect(performance.now() - began).toBeLessThan(10_000)
      })

      test('people register, log in and are known, whichever server they meet', async () => {
        const made = await send('/api/register', { username: 'anna', password })
        expect(made.status).toBe(201)
        // The site is localhost here, of which nothing is promised for a year.
        expect(made.headers['strict-transport-security']).toBeUndefined()
        const login = await send('/api/login', { username: 'anna', password })
        const [cookie = ''] = login.headers['set-cookie'] ?? []
        expect(cookie).toMatch(/^__Host-guildhall=[\w-]{43}; .*Secure/)
        for (let n = 0; n < 4; n++) expect((await visit('/api/profile', { cookie: cookieOf(login) })).status).toBe(200)
        for (const server of environment.servers) await expect.poll(server.output).toContain('/api/profile')
        const plain = await ask('/login?next=secret', { port: environment.httpPort, headers: { Host: 'localhost' } })
        expect([plain.status, plain.headers.location]).toEqual([308, 'https://localhost/login?next=secret'])
        await expect.poll(environment.log).toContain('GET /login')
        expect(environment.log()).not.toContain('secret')
      })

      test('servers learn where a visitor comes from, and believe no visitor about it; another Host is refused', async () => {
        const claims = { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.8', 'X-Forwarded-Host': 'evil.example' }
        const made = await from('127.0.0.2', environment, { username: 'bert', password }, claims)
        expect(made).toBe(201)
        const ips = () =>
          environment.servers
            .flatMap((server) => server.lines())
            .filter(({ path }) => path === '/api/register')
            .map(({ ip }) => ip)
        await expect.poll(ips).toEqual(['127.0.0.2'])
        expect((await visit('/', { Host: 'evil.example' })).status).toBe(421)
      })

      test('both servers are restarted, one after the other, and not one request is lost', async () => {
        const login = await send('/api/register', { username: 'cleo', password })
        const cookie = cookieOf(login)
        const answers = new Map<string, number>()
        let isOver = false
        const agent = new Agent({ keepAlive: true, ca: cert, maxSockets: 8 })
        onTestFinished(() => agent.destroy())
        const note = (what: string) => answers.set(what, (answers.get(what) ?? 0) + 1)
        const visitors = Array.from({ length: 8 }, async (_, n) => {
          // Reads, and writes, which no proxy may send twice: logouts of somebody who is not logged in.
          while (!isOver) {
            if (n % 4 === 0) note(`write ${await hit(agent, environment.port, '/api/logout', 'POST', {})}`)
            else note(`read ${await hit(agent, environment.port, '/api/profile', 'GET', { cookie })}`)
          }
        })
        await after(500)
        for (const which of [0, 1] as const) {
          await environment.restart(which)
          await after(1000)
        }
        isOver = true
        await Promise.all(visitors)
        expect(Object.fromEntries(answers)).toEqual({ 'read 200': expect.any(Number), 'write 204': expect.any(Number) })
        for (const count of answers.values()) expect(count).toBeGreaterThan(50)
        // Both are in use again.
        for (const server of environment.servers) await expect.poll(server.output).toContain('/api/profile')
      })

      test('one server that is gone without a word is not missed', async () => {
        environment.servers[0].child.kill('SIGKILL')
        await environment.servers[0].finished
        for (let n = 0; n < 10; n++) expect((await visit('/login')).status).toBe(200)
      })
    })
  })
})

async function openEnvironment(): Promise<Environment> {
  const database = await makeDatabase()
  onTestFinished(() => database.drop())
  const port = await freePort()
  const url = `https://localhost:${port}`
  const env = { ...PRODUCTION, BASE_URL: url, TRUST_PROXY: '1', DATABASE_URL: database.url, REDIS_URL }
  const servers: [TestServer, TestServer] = [await startServer({ env }), await startServer({ env })]
  const httpPort = await freePort()
  const certificate = join(newFolder(), 'certificate.pem')
  writeFileSync(certificate, cert + key, { mode: 0o600 })
  const proxy = startProxy({
    SERVER_1: `127.0.0.1:${servers[0].port}`,
    SERVER_2: `127.0.0.1:${servers[1].port}`,
    HTTP_PORT: String(httpPort),
    HTTPS_PORT: String(port),
    CERTIFICATE: certificate,
  })
  const look = () =>
    ask('/readyz', { port, ca: cert, headers: { Host: 'localhost' } }).then(
      ({ status }) => status,
      () => 0,
    )
  while ((await look()) !== 200) {
    if (proxy.child.exitCode !== null) throw new Error(`haproxy ended: ${proxy.output()}`)
    await after(50)
  }
  return {
    port,
    httpPort,
    url,
    servers,
    async restart(which) {
      const { port: same } = servers[which]
      expect(await servers[which].stop()).toMatchObject({ code: 0 })
      servers[which] = await startServer({ env: { ...env, PORT: String(same) } })
    },
    log: proxy.output,
  }
}

function startProxy(env: Variables): { readonly child: ChildProcess; output(): string } {
  const child = spawn('haproxy', ['-f', CONFIGURATION, '-db'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (printed += data.toString()))
  const ended = new Promise((done) => child.once('exit', done))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, output: () => printed }
}

function cookieOf({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

/** One request on a connection that is kept; its status, or why it failed. */
function hit(agent: Agent, port: number, path: string, method: string, headers: OutgoingHttpHeaders): Promise<number | string> {
  const { promise, resolve: done } = Promise.withResolvers<number | string>()
  const options = { host: '127.0.0.1', port, path, agent, servername: 'localhost', method }
  const made = request({ ...options, headers: { Host: `localhost:${port}`, ...headers } }, (res) => {
    res.resume().on('end', () => done(res.statusCode ?? 0))
    res.on('error', (error) => done(error.message))
  })
  made.on('error', (error) => done(error.message))
  made.end()
  return promise
}

/** A registration by somebody of this address. */
function from(
  localAddress: string,
  { port }: Environment,
  body: object,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const { promise, resolve: done, reject } = Promise.withResolvers<number>()
  const options = {
    host: '127.0.0.1',
    localAddress,
    port,
    ca: cert,
    servername: 'localhost',
    method: 'POST',
    agent: false as const,
  }
  const sent = { Host: `localhost:${port}`, 'Content-Type': 'application/json', ...headers }
  const made = request({ ...options, path: '/api/register', headers: sent }, (res) => done(res.resume().statusCode ?? 0))
  made.on('error', reject)
  made.end(JSON.stringify(body))
  return promise
}
