// `guildhall serve --workers N`: several processes on one port, which behave as one.
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { joinMetrics } from '../../src/server/metrics-text.ts'
import { freePort } from '../support/program.ts'
import { ask, askHalf, countLines, newFolder, post, run, startServer, type TestServer, writeFiles } from '../support/server.ts'
import { startLoad } from '../support/steady-load.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'violet harbour lantern'

async function member(server: TestServer, username: string): Promise<string> {
  const { status, headers } = await post(server, '/api/register', { username, password: PASSWORD })
  expect(status).toBe(201)
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

function profile(server: TestServer, cookie: string) {
  return ask('/api/profile', { port: server.port, headers: { Host: new URL(server.url).host, Cookie: cookie } })
}

/** The processes below the supervisor. */
function workersOf({ pid }: ChildProcess): number[] {
  return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .map(Number)
    .filter((worker) => worker > 0 && isNode(worker))
}

function isNode(pid: number): boolean {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes('serve')
  } catch {
    return false
  }
}

async function renew(server: TestServer): Promise<void> {
  const before = countLines(server, 'the workers are renewed')
  server.child.kill('SIGHUP')
  await until(() => countLines(server, 'the workers are renewed') > before)
}

describe('several processes on one port', () => {
  test('B-10: sessions and limits hold over all of them, every line of the log says whose it is, and metrics tell of all', async () => {
    const server = await startServer({ env: { WORKERS: '3' } })
    expect(workersOf(server.child)).toHaveLength(3)
    const cookie = await member(server, 'anna')
    const answers = await Promise.all(Array.from({ length: 60 }, () => profile(server, cookie)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const guesses = await Promise.all(
      Array.from({ length: 30 }, () => post(server, '/api/login', { username: 'anna', password: 'not the password' })),
    )
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(25)

    const { text } = await ask('/metrics', { port: server.port, headers: { Host: `127.0.0.1:${server.port}` } })
    const hashes = [...text.matchAll(/^guildhall_password_hashes_total\{worker="(\d)"\} (\d+)$/gm)]
    expect(hashes.map(([, worker]) => worker)).toEqual(['1', '2', '3'])
    expect(hashes.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(6)
    expect(text.match(/^# TYPE process_resident_memory_bytes /gm)).toHaveLength(1)
    expect(text.match(/^process_resident_memory_bytes\{worker="\d"\} \d+$/gm)).toHaveLength(3)
    // Requests were spread.
    const served = [...text.matchAll(/duration_seconds_count\{.*route="\/api\/profile".*worker="(\d)"\} (\d+)$/gm)]
    expect(served.length).toBe(3)

    await until(() => countLines(server, 'request') >= 92)
    const lines = server.lines().filter(({ msg }) => msg === 'request')
    expect(new Set(lines.map(({ worker }) => worker))).toEqual(new Set([1, 2, 3]))
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('one that dies has another in its place, and nobody is logged out by it', async () => {
    const server = await startServer({ env: { WORKERS: '2' } })
    const cookie = await member(server, 'anna')
    const [first = 0] = workersOf(server.child)
    process.kill(first, 'SIGKILL')
    await until(() => workersOf(server.child).length === 2 && !workersOf(server.child).includes(first))
    await until(async () => (await profile(server, cookie)).status === 200)
    expect(server.lines().find(({ signal }) => signal === 'SIGKILL')).toMatchObject({
      level: 'error',
      msg: 'a worker ended by itself: another takes its place',
    })
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('F-17: one that is stuck has another in its place', { timeout: 240_000 }, async () => {
    const server = await startServer({ env: { WORKERS: '2' } })
    const [first = 0] = workersOf(server.child)
    process.kill(first, 'SIGSTOP')
    await until(() => workersOf(server.child).length === 2 && !workersOf(server.child).includes(first))
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('none outlives the supervisor', async () => {
    const server = await startServer({ env: { WORKERS: '2' } })
    const workers = workersOf(server.child)
    server.child.kill('SIGKILL')
    await server.finished
    await until(() => !workers.some(isNode))
  })

  test('together they hash as much at a time as one process alone', async () => {
    const server = await startServer({ env: { WORKERS: '2', HASH_WORKERS: '4', HASH_QUEUE: '10' } })
    const { text } = await ask('/metrics', { port: server.port, headers: { Host: `127.0.0.1:${server.port}` } })
    expect([...text.matchAll(/^guildhall_password_hashes_limit\{.*\} (\d+)$/gm)].map(([, limit]) => limit)).toEqual(['5', '5'])
  })
})

describe('F-16: a rolling restart', () => {
  test('under load no request fails, nobody is logged out, limits go on, and new settings hold', {
    timeout: 240_000,
  }, async () => {
    const folder = newFolder()
    writeFiles(folder, { '.env': 'SITE_NAME=Old name\nWORKERS=3\n' })
    const server = await startServer({ folder, env: { LOG_LEVEL: 'info' } })
    const host = new URL(server.url).host
    const cookie = await member(server, 'anna')
    for (let guess = 0; guess < 5; guess++) await post(server, '/api/login', { username: 'nobody', password: 'not the password' })
    const before = workersOf(server.child)
    const load = startLoad(200, async () => {
      const { status } = await ask('/api/profile', { port: server.port, headers: { Host: host, Cookie: cookie } })
      return status === 200 ? undefined : `status ${status}`
    })
    const kept = startLoad(50, async () => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/readyz`)
      await answer.text()
      return answer.status === 200 ? undefined : `not ready: ${answer.status}`
    })
    await until(() => load.answered > 50)
    writeFiles(folder, { '.env': 'SITE_NAME=New name\nWORKERS=2\n' })
    await renew(server)
    await until(() => load.answered > 200 || load.failed.length > 0)
    await Promise.all([load.end(), kept.end()])
    expect(load.failed).toEqual([])
    expect(kept.failed).toEqual([])
    expect(load.answered).toBeGreaterThan(200)
    const after = workersOf(server.child)
    expect(after).toHaveLength(2)
    expect(after.filter((worker) => before.includes(worker))).toEqual([])
    expect((await ask('/login', { port: server.port, headers: { Host: host } })).text).toContain('New name')
    expect((await post(server, '/api/login', { username: 'nobody', password: 'not the password' })).status).toBe(429)
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('an operator who writes another PORT is told that it takes a restart; the rest holds, and people are served where they were', async () => {
    const folder = newFolder()
    const [port, other] = [await freePort(), await freePort()]
    writeFiles(folder, { '.env': `PORT=${port}\nSITE_NAME=Old name\n` })
    const server = await startServer({ folder, env: { PORT: undefined, WORKERS: '1' } })
    writeFiles(folder, { '.env': `PORT=${other}\nSITE_NAME=New name\n` })
    await renew(server)
    expect((await ask('/login', { port, headers: { Host: `localhost:${port}` } })).text).toContain('New name')
    await expect(ask('/login', { port: other })).rejects.toThrow('ECONNREFUSED')
    const reported = server.lines().filter(({ level }) => level === 'warn')
    expect(reported).toEqual([expect.objectContaining({ port, msg: expect.stringContaining('takes a restart') })])
  })

  test('a connection that is kept brings one more request to the worker that goes, and is told to close', async () => {
    const server = await startServer({ env: { WORKERS: '1' } })
    const socket = connect(server.port, '127.0.0.1')
    let received = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      received += part
    })
    const request = `GET /readyz HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\n\r\n`
    socket.write(request)
    await until(() => received.includes('"ok"'))
    received = ''
    server.child.kill('SIGHUP')
    await until(() => countLines(server, 'stopping') === 1)
    socket.write(request)
    await until(() => received.includes('"ok"'))
    expect(received).toMatch(/^HTTP\/1\.1 200 /)
    expect(received).toMatch(/^Connection: close\r$/m)
    await until(() => countLines(server, 'the workers are renewed') === 1)
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('asked again meanwhile, it begins once more with what the settings say then', async () => {
    const folder = newFolder()
    const server = await startServer({ folder, env: { WORKERS: '2' } })
    server.child.kill('SIGHUP')
    await until(() => workersOf(server.child).length > 2)
    writeFiles(folder, { '.env': 'SITE_NAME=New name\n' })
    server.child.kill('SIGHUP')
    server.child.kill('SIGHUP')
    await until(() => countLines(server, 'the workers are renewed') === 2)
    expect(workersOf(server.child)).toHaveLength(2)
    const host = new URL(server.url).host
    const pages = await Promise.all([1, 2, 3, 4].map(() => ask('/login', { port: server.port, headers: { Host: host } })))
    expect(pages.map(({ text }) => text.includes('New name'))).toEqual([true, true, true, true])
    expect(await server.stop()).toMatchObject({ code: 0 })
    expect(countLines(server, 'the workers are renewed')).toBe(2)
  })

  test('one that dies meanwhile does not hold it up', async () => {
    const server = await startServer({ env: { WORKERS: '2' } })
    const before = workersOf(server.child)
    server.child.kill('SIGHUP')
    await until(() => workersOf(server.child).length > 2)
    process.kill(before[0] ?? 0, 'SIGKILL')
    await until(() => countLines(server, 'the workers are renewed') === 1)
    await renew(server)
    const after = workersOf(server.child)
    expect(after).toHaveLength(2)
    expect(after.filter((worker) => before.includes(worker))).toEqual([])
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('to fewer workers that failed once leaves no old one behind at the next', async () => {
    const folder = newFolder()
    writeFiles(folder, { '.env': 'WORKERS=3\n' })
    const server = await startServer({ folder })
    const before = workersOf(server.child)
    writeFiles(folder, { '.env': 'WORKERS=1\nDATABASE_URL=sqlite:.env/not-a-folder/x.db\n' })
    server.child.kill('SIGHUP')
    await until(() => countLines(server, 'a new worker did not start: the old ones go on') === 1)
    expect(workersOf(server.child)).toEqual(before)
    writeFiles(folder, { '.env': 'WORKERS=1\n' })
    await renew(server)
    const after = workersOf(server.child)
    expect(after).toHaveLength(1)
    expect(before).not.toContain(after[0])
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('asked for before anybody can listen, it ends nobody', async () => {
    // In the moment in which the program is loaded, in the supervisor as in the worker.
    const preload = `import { registerHooks } from 'node:module'; registerHooks({ resolve(name, context, next) {
      if (name.includes('/cli/main')) process.kill(process.pid, 'SIGHUP')
      return next(name, context)
    } })`
    const server = await startServer({ preload, env: { WORKERS: '1' } })
    expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200)
    expect(await server.stop()).toMatchObject({ code: 0 })
  })

  test('with settings that have faults, or a worker that does not start, the old ones go on', async () => {
    const folder = newFolder()
    writeFiles(folder, { '.env': 'SITE_NAME=Old name\n' })
    const server = await startServer({ folder, env: { WORKERS: '2' } })
    const workers = workersOf(server.child)
    writeFiles(folder, { '.env': 'SITE_NAME=Old name\nLOCALE=xx\n' })
    server.child.kill('SIGHUP')
    await until(() => countLines(server, 'the settings have faults: the workers go on with the old ones') === 1)
    expect(server.lines().some(({ msg }) => String(msg).includes('LOCALE'))).toBe(true)
    writeFiles(folder, { '.env': 'DATABASE_URL=sqlite:.env/not-a-folder/x.db\n' })
    server.child.kill('SIGHUP')
    await until(() => countLines(server, 'a new worker did not start: the old ones go on') === 1)
    expect(workersOf(server.child)).toEqual(workers)
    expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200)
    writeFiles(folder, { '.env': 'SITE_NAME=Old name\n' })
    await renew(server)
    expect(workersOf(server.child).filter((worker) => workers.includes(worker))).toEqual([])
    expect(await server.stop()).toMatchObject({ code: 0 })
  })
})

describe('F-40: a graceful stop of several', () => {
  test('/readyz is 503, what was accepted is answered, and the exit code is 0', async () => {
    const server = await startServer({ env: { WORKERS: '2' } })
    const half = await askHalf(server, { username: 'anna', password: PASSWORD })
    const stopped = server.stop('SIGTERM')
    await until(() => countLines(server, 'stopping') === 3)
    const { registered, ready } = await half.finish()
    expect(ready).toMatch(/^HTTP\/1\.1 503 /)
    expect(ready).toMatch(/^Connection: close\r$/m)
    expect(registered).toMatch(/^HTTP\/1\.1 201 /)
    expect(await stopped).toMatchObject({ code: 0 })
  })

  test('Ctrl-C, which every process gets, ends them in order too', async () => {
    const server = await startServer({ env: { WORKERS: '2' } })
    for (const worker of workersOf(server.child)) process.kill(worker, 'SIGINT')
    expect(await server.stop('SIGINT')).toMatchObject({ code: 0 })
    expect(server.lines().filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('what keeps them from starting', () => {
  test('a port that is taken is told once, with exit code 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { code, stderr } = await run(['serve', '--workers', '3'], { env: { PORT: String(port) } })
    taken.close()
    expect(code).toBe(1)
    expect(stderr.match(new RegExp(String(port), 'g'))).toHaveLength(1)
  })

  test.each(['0', '257', 'many', '-1', '2.5'])('--workers %s is refused with what to write', async (workers) => {
    const { code, stderr } = await run(['serve', `--workers=${workers}`])
    expect([code, stderr.includes('WORKERS (--workers) must be a whole number from 1 to 256, or auto')]).toEqual([1, true])
  })

  test('a database in memory is of one process alone', async () => {
    const { code, stderr } = await run(['serve', '--workers', '2'], { env: { DATABASE_URL: 'sqlite::memory:' } })
    expect([code, stderr.includes('DATABASE_URL')]).toEqual([1, true])
  })
})

test('texts of several processes are one text in the Prometheus format, families together', () => {
  const text = (worker: number) =>
    `# HELP a_total One\n# TYPE a_total counter\na_total{worker="${worker}"} 1\n\n# HELP b Two\n# TYPE b gauge\nb{worker="${worker}"} 2\n`
  expect(joinMetrics([text(1), text(2)])).toBe(
    '# HELP a_total One\n# TYPE a_total counter\na_total{worker="1"} 1\na_total{worker="2"} 1\n\n# HELP b Two\n# TYPE b gauge\nb{worker="1"} 2\nb{worker="2"} 2\n\n',
  )
})
