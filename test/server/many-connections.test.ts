// Many connections, and many requests on one: nobody takes the place of all others.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { limitLog } from '../../src/server/log-limit.ts'
import { PipelinedRequests } from '../../src/server/pipelined-requests.ts'
import { freePort } from '../support/program.ts'
import { ask, BIN, converse, newFolder } from '../support/server.ts'
import { listen, portOf } from '../support/site.ts'
import { until } from '../support/until.ts'

describe('F-18 more connections than this process may have', () => {
  test('are closed, told in one line and counted; people are served again once there is room', async () => {
    const { port, lines } = await serveWithDescriptors(256)
    const sockets = await openConnections(port, 300)
    await until(() => lines().some(({ maxConnections }) => maxConnections !== undefined))
    await until(() => sockets.filter((socket) => socket.destroyed).length > 60)
    for (const socket of sockets) socket.destroy()
    await until(async () => (await ask('/healthz', { port }).catch(() => undefined))?.status === 200)
    const { text } = await ask('/metrics', { port })
    expect(Number(/^guildhall_connections_dropped_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(60)
    const reported = lines().filter(({ msg }) => String(msg).startsWith('Connections are turned away'))
    expect(reported[0]).toMatchObject({ level: 'warn' })
  })

  test('of a thousand that follow each other at once one has a line', () => {
    const reported: object[] = []
    const warn = limitLog((fields) => reported.push(fields))
    for (let n = 0; n < 1000; n++) warn({ n }, 'full')
    expect(reported).toEqual([{ n: 0 }])
  })
})

describe('a burst of requests on one connection', () => {
  test('is answered one request at a time, in order, in turns with everybody else', async () => {
    const begun: string[] = []
    const pending: (() => void)[] = []
    const pipelined = new PipelinedRequests((req, res) => {
      begun.push(req.url ?? '')
      pending.push(() => res.end(`[${req.url}]`))
    })
    const server = await listen(createServer((req, res) => pipelined.handle(req, res)))
    onTestFinished(() => void server.close())
    const burst = await converse(portOf(server))
    burst.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
    await until(() => begun.length > 0)
    const other = await converse(portOf(server))
    other.write('GET /other HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => begun.includes('/other'))
    expect(begun).toEqual(['/1', '/other'])
    for (let n = 0; n < 4; n++) {
      await until(() => pending.length > 0)
      pending.shift()?.()
    }
    await until(() => burst.received().includes('[/3]'))
    expect(begun).toEqual(['/1', '/other', '/2', '/3'])
    expect(burst.received().match(/\[\/\d\]/g)).toEqual(['[/1]', '[/2]', '[/3]'])
  })

  test('of the site is answered whole', async () => {
    const port = await freePort()
    await serve(port, [process.execPath, BIN, 'serve'])
    const burst = await converse(port)
    burst.write(`GET /healthz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`.repeat(100))
    await until(() => burst.received().split('HTTP/1.1 200 OK').length === 101)
    // Bytes after a request that ends the connection belong to no request.
    burst.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`)
    await burst.closed
    expect(burst.received().split('HTTP/1.1 200 OK')).toHaveLength(102)
  })
})

async function serveWithDescriptors(limit: number) {
  const port = await freePort()
  const { output } = await serve(port, ['sh', '-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, BIN, 'serve'])
  const lines = (): Record<string, unknown>[] =>
    output()
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line))
  return { port, lines }
}

async function serve(port: number, [program = '', ...args]: readonly string[]): Promise<{ output(): string }> {
  const env = { PATH: process.env.PATH, PORT: String(port), HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
  const child = spawn(program, args, { cwd: newFolder(), env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await until(() => output.includes('Guildhall is open at'))
  return { output: () => output }
}

async function openConnections(port: number, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(
    sockets.map(
      (socket) => new Promise((resolve) => socket.once('connect', resolve).once('error', resolve).once('close', resolve)),
    ),
  )
  return sockets
}
