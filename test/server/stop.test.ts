// How the server ends, and that it does not end by what a visitor does.
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ask, post, run, startServer, type TestServer } from '../support/server.ts'

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
    const server = await startServer({ env: { RATE_LIMIT: 'off', LOG_LEVEL: 'warn' } })
    await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })
    const loaded = load(server, 8)
    while (loaded.answered < 300 && loaded.failed.length === 0) await sleep(20)
    const { code, ms } = await server.stop('SIGTERM')
    await loaded.over
    expect(loaded.failed).toEqual([])
    expect(code).toBe(0)
    expect(ms).toBeLessThan(10_000)
  })

  test('it says that it is not ready before it lets nobody in, and finishes what it had begun', async () => {
    const server = await startServer({ env: { HASH_MEMORY_KIB: '262144', HASH_PASSES: '2', HASH_WORKERS: '1' } })
    const slow = post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })
    await sleep(60)
    const stopped = server.stop('SIGTERM')
    await sleep(100)
    const ready = await ask('/readyz', { port: server.port })
    expect([ready.status, ready.headers.connection]).toEqual([503, 'close'])
    expect((await slow).status).toBe(201)
    expect(await stopped).toMatchObject({ code: 0 })
    const { stdout } = await run(['user', 'list', '--json'], { folder: server.folder })
    expect(JSON.parse(stdout)).toMatchObject([{ username: 'anna' }])
  })

  test('with nobody inside it ends at once; Ctrl-C does the same', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = await startServer()
      const { code, ms } = await server.stop(signal)
      expect(code).toBe(0)
      expect(ms).toBeLessThan(3000)
    }
  })

  test('an idle connection does not keep it', async () => {
    const server = await startServer()
    const socket = connect(server.port, '127.0.0.1')
    await sleep(100)
    expect(await server.stop()).toMatchObject({ code: 0 })
    socket.destroy()
  })

  test('who is too slow is left behind after ten seconds, and a second signal waits for nobody', async () => {
    const start = () => startServer()
    const [patient, hurried] = await Promise.all([start(), start()])
    const hang = (server: TestServer) => {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(
        `POST /login HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na`,
      )
    }
    hang(patient)
    hang(hurried)
    await sleep(200)
    const left = patient.stop()
    hurried.child.kill('SIGTERM')
    await sleep(1000)
    const { code, ms } = await hurried.stop()
    expect([code, ms < 1500]).toEqual([1, true])
    const end = await left
    expect(end.code).toBe(0)
    expect(end.ms).toBeLessThan(10_900)
  })
})

test('kill -9 loses no account, and the next start works', async () => {
  const server = await startServer()
  expect((await post(server, '/api/register', { username: 'anna', password: 'violet harbour lantern' })).status).toBe(201)
  await server.stop('SIGKILL')
  const again = await startServer({ folder: server.folder })
  expect((await post(again, '/api/login', { username: 'anna', password: 'violet harbour lantern' })).status).toBe(200)
})

describe('N-02: what nobody caught', () => {
  const preload = [
    "process.on('SIGUSR2', () => { Promise.reject(new Error('a lost promise')) })",
    "process.on('SIGWINCH', () => { throw new Error('a lost error') })",
  ].join(';')

  test('a promise that nobody looked after ends nothing', async () => {
    const server = await startServer({ preload })
    server.child.kill('SIGUSR2')
    await sleep(300)
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
