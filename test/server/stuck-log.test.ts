// The reader of the log may be stuck or gone: the site is served all the same, and ends at its signal.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, createReadStream, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../support/program.ts'
import { ask, BIN, converse, newFolder } from '../support/server.ts'
import { until } from '../support/until.ts'

interface Site {
  readonly child: ChildProcess
  readonly port: number
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

describe.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
])('%s', (_title, flags) => {
  test('whose log is a full pipe ends at SIGTERM, in order', async () => {
    const { child, port, ended } = await serveInto(stuckPipe(), flags)
    await fillLog(port)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  test('whose log is a full pipe ends at the second signal though somebody is not ready yet', async () => {
    const { child, port, ended } = await serveInto(stuckPipe(), flags)
    await fillLog(port)
    const slow = await converse(port)
    const head = `POST /api/login HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 20`
    slow.write(`${head}\r\nExpect: 100-continue\r\n\r\n`)
    await until(() => slow.received().includes(' 100 '))
    const readiness = await converse(port)
    child.kill('SIGTERM')
    await until(() => {
      readiness.write(`GET /readyz HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)
      return readiness.received().includes(' 503 ')
    })
    child.kill('SIGTERM')
    expect(await ended).toBe(1)
  })

  test('whose reader has gone serves on, and ends at SIGTERM', async () => {
    const pipe = stuckPipe()
    const { child, port, ended } = await serveInto(pipe, flags)
    closeSync(pipe.reader)
    await fillLog(port)
    expect((await ask('/healthz', { port })).status).toBe(200)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})

test('a reader who was stuck for a while gets every line', async () => {
  const pipe = stuckPipe()
  const { child, port, ended } = await serveInto(pipe, [])
  await fillLog(port)
  const lines = createReadStream('', { fd: pipe.reader, encoding: 'utf8' })
  let text = ''
  lines.on('data', (part) => {
    text += part
  })
  await until(() => text.split('"msg":"request"').length > LINES)
  child.kill('SIGTERM')
  await once(lines, 'end')
  expect(text).toContain('"msg":"stopped"')
  expect(text.split('\n').filter((line) => line.includes('"msg":"request"')).length).toBeGreaterThanOrEqual(LINES)
  expect(await ended).toBe(0)
})

test('a log that goes into a file is whole', async () => {
  const file = join(newFolder(), 'log')
  const { child, port, ended } = await serveInto({ writer: openSync(file, 'w'), reader: openSync(file, 'r') }, [])
  await fillLog(port)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.every((line) => JSON.parse(line).level === 'info')).toBe(true)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ msg: 'stopped' })
})

interface Pipe {
  readonly writer: number
  readonly reader: number
}

/** A pipe that nobody reads: Node's own between processes are sockets, which are larger. */
function stuckPipe(): Pipe {
  const path = join(newFolder(), 'pipe')
  execFileSync('mkfifo', [path])
  // To open one end alone would wait for the other.
  const both = openSync(path, constants.O_RDWR)
  const pipe = { writer: openSync(path, constants.O_WRONLY), reader: openSync(path, constants.O_RDONLY) }
  closeSync(both)
  return pipe
}

async function serveInto({ writer }: Pipe, flags: readonly string[]): Promise<Site> {
  const port = await freePort()
  const child = spawn(process.execPath, [BIN, 'serve', ...flags], {
    cwd: newFolder(),
    env: { PATH: process.env.PATH, PORT: String(port), HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' },
    stdio: ['ignore', writer, 'inherit'],
  })
  closeSync(writer)
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await until(async () => (await ask('/readyz', { port }).catch(() => undefined))?.status === 200)
  return { child, port, ended }
}

const LINES = 120

/** More than a pipe takes. */
async function fillLog(port: number): Promise<void> {
  const path = `/${'a'.repeat(1400)}`
  for (let n = 0; n < LINES; n++) await ask(path, { port, headers: { Host: `localhost:${port}` } })
  // Lines wait for others a fifth of a second: by now they are on their way.
  await after(500)
}
