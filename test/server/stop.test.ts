// How the server ends, and that it does not end by what a visitor does.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ask, askHalf, converse, countLines, post, run, startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

interface Load {
  answered: number
  readonly failed: string[]
  /** Resolves when every client was told to close. */
  readonly over: Promise<unknown>
}

/** Keep-alive clients that ask until they are told to close, as a load balancer would; a log-in now and then. */
function load(server: TestServer, connections: number): Load {
  const failed: string[] = []
  const host = new URL(server.url).host
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = 0; ; n++) {
      const path = n % 20 === 5 ? '/api/login' : n % 20 === 10 ? '/readyz' : '/api/profile'
      const body = path === '/api/login' ? JSON.stringify({ username: 'anna', password: 'violet harbour lantern' }) : undefined
      const result = await new Promise<{ close: boolean } | Error>((resolve) => {
        const headers = { Host: host, ...(body && { 'Content-Type': 'application/json' }) }
        const req = request({ host: '127.0.0.1', port: server.port, path, method: body ? 'POST' : 'GET', headers, agent })
        req.on('response', (res) => {
          res.resume()
          res.on('end', () => resolve({ close: res.headers.connection === 'close' }))
          res.on('error', resolve)
        })
        req.on('error', resolve)
        req.end(body)
      })
      if (result instanceof Error) return void failed.push(`${path}: ${result.message}`)
      state.answered++
      if (result.close) return
      await sleep(2)
    }
  }
  const state: Load = {
    answered: 0,
    failed,
    over: Promise.resolve().then(() => Promise.all(Array.from({ length: connections }, client))),
  }
  return state
}

describe('F-40: a graceful stop', () => {
  test('under load every accepted request is answered, and the process ends with 0 within ten seconds', async () => {
    const server = await startServer({ env: { RATE_LIMIT: 'off' } })
    await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })
    const loaded = load(server, 8)
    await until(() => loaded.answered >= 300 || loaded.failed.length > 0)
    const { code } = await server.stop('SIGTERM')
    await loaded.over
    expect(loaded.failed).toEqual([])
    expect(code).toBe(0)
    // One that is ended by force after ten seconds does not say so.
    expect(countLines(server, 'stopped')).toBe(1)
  })

  test('it says that it is not ready before it lets nobody in, and finishes what it had begun', async () => {
    const server = await startServer()
    const half = await askHalf(server, { username: 'anna', password: 'violet harbour lantern' })
    const stopped = server.stop('SIGTERM')
    await until(() => countLines(server, 'stopping') === 1)
    const { registered, ready } = await half.finish()
    expect(ready).toMatch(/^HTTP\/1\.1 503 /)
    expect(ready).toMatch(/^Connection: close\r$/m)
    expect(registered).toMatch(/^HTTP\/1\.1 201 /)
    expect(await stopped).toMatchObject({ code: 0 })
    const { stdout } = await run(['user', 'list', '--json'], { folder: server.folder })
    expect(JSON.parse(stdout)).toMatchObject([{ username: 'anna' }])
  })

  test('with nobody inside it ends at once; Ctrl-C does the same', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = await startServer()
      const { code, ms } = await server.stop(signal)
      expect(code).toBe(0)
      // One that waited for somebody would take the eight seconds that it gives to accepted requests.
      expect(ms).toBeLessThan(8000)
    }
  })

  test('an idle connection does not keep it', async () => {
    const server = await startServer()
    const idle = await converse(server.port)
    idle.write(`GET /healthz HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\n\r\n`)
    await until(() => idle.received().includes(' 200 '))
    expect(await server.stop()).toMatchObject({ code: 0 })
    expect(countLines(server, 'stopped')).toBe(1)
  })

  test('a client that is too slow is cut after ten seconds, and a second signal waits for none', async () => {
    const start = () => startServer()
    const [keptAlive, hurried] = await Promise.all([start(), start()])
    const hang = async (server: TestServer) => {
      const slow = await converse(server.port)
      slow.write(`POST /login HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`)
      await until(() => slow.received().includes(' 100 '))
      return slow
    }
    const slow = await hang(keptAlive)
    // One that never said a word is left behind too.
    await converse(keptAlive.port)
    await hang(hurried)
    const left = keptAlive.stop()
    hurried.child.kill('SIGTERM')
    await until(() => countLines(hurried, 'stopping') === 1)
    const first = await Promise.race([hurried.stop(), left])
    expect(first.code).toBe(1)
    expect((await left).code).toBe(0)
    // The connection is closed: a client that is waited for gets 408 after fifteen seconds.
    expect(slow.received()).not.toContain('408')
  })
})

test('kill -9 loses no account, and the next start works', async () => {
  const server = await startServer()
  expect((await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })).status).toBe(201)
  await server.stop('SIGKILL')
  const again = await startServer({ folder: server.folder })
  expect((await post(again, '/api/login', { username: 'anna', password: 'violet harbour lantern' })).status).toBe(200)
})

test('F-02 somebody whose login was answered before a kill -9 is logged in after it, or logs in again', async () => {
  const account = { username: 'anna', password: 'violet harbour lantern' }
  const cookies: string[] = []
  let server = await startServer({ env: { RATE_LIMIT: 'off' } })
  await post(server, '/api/register', account)
  for (let round = 0; round < 2; round++) {
    const enough = cookies.length + 10
    const logInUntilItDies = async () => {
      for (;;) {
        const answer = await post(server, '/api/login', account).catch(() => undefined)
        if (answer === undefined) return
        cookies.push(String(answer.headers['set-cookie']).split(';', 1).join())
      }
    }
    const clients = Array.from({ length: 4 }, logInUntilItDies)
    await until(() => cookies.length >= enough)
    await server.stop('SIGKILL')
    await Promise.all(clients)
    server = await startServer({ folder: server.folder, env: { RATE_LIMIT: 'off' } })
    for (const Cookie of cookies) {
      const { status, text } = await ask('/api/profile', {
        port: server.port,
        headers: { Host: new URL(server.url).host, Cookie },
      })
      expect([200, 401]).toContain(status)
      if (status === 200) expect(JSON.parse(text)).toMatchObject({ user: { username: 'anna' } })
    }
    expect((await post(server, '/api/login', account)).status).toBe(200)
  }
})

describe('N-02: what nobody caught', () => {
  const preload = [
    "process.on('SIGUSR2', () => { Promise.reject(new Error('a lost promise')) })",
    "process.on('SIGWINCH', () => { throw new Error('a lost error') })",
  ].join(';')

  test('a promise that nobody looked after ends nothing', async () => {
    const server = await startServer({ preload })
    server.child.kill('SIGUSR2')
    await until(() => server.lines().some(({ level }) => level === 'fatal'))
    expect((await fetch(`${server.url}/login`)).status).toBe(200)
    expect(await server.stop()).toMatchObject({ code: 0 })
    expect(server.lines().find(({ level }) => level === 'fatal')).toMatchObject({ err: { message: 'a lost promise' } })
  })

  test('an error that nobody caught is logged, and the server goes out in order, with 1', async () => {
    const server = await startServer({ preload })
    server.child.kill('SIGWINCH')
    const { code } = await server.finished
    expect(code).toBe(1)
    expect(server.lines().find(({ level }) => level === 'fatal')).toMatchObject({ err: { message: 'a lost error' } })
  })

  test('N-01: a bug is a 500 with the request’s id, and nothing more', async () => {
    // Every hash fails: there is no thread to make it in.
    const broken =
      "const w = require('node:worker_threads'); w.Worker = class { constructor() { throw new Error('canary-stack') } }; require('node:module').syncBuiltinESMExports()"
    const server = await startServer({
      preload: `import { createRequire } from 'node:module'; const require = createRequire(process.cwd() + '/x.js'); ${broken}`,
    })
    const { status, text } = await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })
    const problem = JSON.parse(text)
    expect([status, problem.code]).toEqual([500, 'internal'])
    expect(Object.keys(problem).toSorted()).toEqual(['code', 'detail', 'requestId', 'status', 'title', 'type'])
    expect(text).not.toContain('canary')
    await server.stop()
    const logged = server.lines().find(({ level }) => level === 'error')
    expect(logged).toMatchObject({ requestId: problem.requestId, err: { stack: expect.any(String) } })
  })
})
