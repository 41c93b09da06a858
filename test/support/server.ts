// A real server in a process and a folder of its own, and requests that fetch cannot send.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, onTestFinished } from 'vitest'
import { until } from './until.ts'

export const BIN = resolve(import.meta.dirname, '../../bin/guildhall.js')

export type Variables = Readonly<Record<string, string | undefined>>

export interface RunOptions {
  readonly env?: Variables
  /** Default: a new one, taken away after the test. */
  readonly folder?: string
  /** JavaScript that runs before the program. */
  readonly preload?: string
  readonly stdin?: string | Uint8Array
  readonly umask?: number
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface TestServer {
  /** The address of the site: BASE_URL, or http://localhost and the port. */
  readonly url: string
  readonly port: number
  readonly folder: string
  readonly child: ChildProcess
  /** Milliseconds from the start of the process until it accepts connections. */
  readonly startMs: number
  /** Everything that was written to stdout and stderr so far. */
  output(): string
  /** The lines of the log so far. */
  lines(): Record<string, unknown>[]
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished & { readonly ms: number }>
  readonly finished: Promise<Finished>
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** What every production start needs. */
export const PRODUCTION = {
  NODE_ENV: 'production',
  BASE_URL: 'https://example.org',
  SECRET: 'Zk3vQ9xT7bL1mN5pR8sW2yA4cE6gH0jK',
} as const

export function newFolder(): string {
  const folder = makeFolder()
  onTestFinished(() => removeFolder(folder))
  return folder
}

const makeFolder = () => mkdtempSync(join(tmpdir(), 'guildhall-test-'))
const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true })

/** `guildhall serve` on a free port. Hashes are cheap, but in production. Stopped after the test. */
export function startServer({ folder = newFolder(), ...options }: RunOptions = {}): Promise<TestServer> {
  const { opened, kill } = launch({ ...options, folder })
  onTestFinished(kill)
  return opened
}

/** The same once for the tests of a file that leave it as it was. */
export function sharedServer(options: Omit<RunOptions, 'folder'> = {}): () => TestServer {
  let server: TestServer | undefined
  beforeAll(async () => {
    const folder = makeFolder()
    const { opened, kill } = launch({ ...options, folder })
    server = await opened
    return async () => {
      await kill()
      removeFolder(folder)
    }
  })
  return () => {
    if (server === undefined) throw new Error('the server starts before the first test, not before the file is read')
    return server
  }
}

function launch({ env = {}, folder, ...options }: RunOptions & { readonly folder: string }) {
  const cheap = env.NODE_ENV === 'production' ? {} : { HASH_MEMORY_KIB: '1024', HASH_PASSES: '1' }
  const startedAt = performance.now()
  const { child, finished, stdout, stderr } = start(['serve'], { ...options, folder, env: { PORT: '0', ...cheap, ...env } })
  const opening = new Promise<{ url: string; port: number }>((resolve, reject) => {
    const look = () => {
      const line = stdout()
        .split('\n')
        .find((one) => one.includes('Guildhall is open at'))
      if (line === undefined) return
      const isJson = line.startsWith('{')
      const url: string = (isJson ? JSON.parse(line).msg : line).split(' ').at(-1)
      resolve({ url, port: isJson ? JSON.parse(line).port : Number(new URL(url).port) })
    }
    child.stdout?.on('data', look)
    void finished.then(({ code }) => reject(new Error(`the server ended with ${code}:\n${stdout()}${stderr()}`)))
  })
  const opened = opening.then(
    ({ url, port }): TestServer => ({
      url,
      port,
      folder,
      child,
      finished,
      startMs: performance.now() - startedAt,
      output: () => stdout() + stderr(),
      lines: () =>
        stdout()
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line)),
      async stop(signal = 'SIGTERM') {
        const stoppedAt = performance.now()
        child.kill(signal)
        return { ...(await finished), ms: performance.now() - stoppedAt }
      },
    }),
  )
  const kill = async () => {
    child.kill('SIGKILL')
    await finished
  }
  return { opened, kill }
}

/** How often the log says this so far. */
export function countLines(server: TestServer, text: string): number {
  return server.lines().filter(({ msg }) => msg === text).length
}

/** `guildhall ...`, until it ends. */
export function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const folder = options.folder ?? newFolder()
  return start(args, { ...options, folder }).finished
}

function start(args: readonly string[], { env = {}, folder, preload, stdin, umask }: RunOptions & { readonly folder: string }) {
  const before = [...(umask === undefined ? [] : [`process.umask(${umask})`]), ...(preload === undefined ? [] : [preload])]
  const flags = before.length === 0 ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before.join(';'))}`]
  const child = spawn(process.execPath, [...flags, BIN, ...args], {
    cwd: folder,
    // Nothing of this process's own settings.
    env: { PATH: process.env.PATH, ...env },
    stdio: 'pipe',
  })
  const texts = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(stdin ?? '')
  const finished = new Promise<Finished>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...texts })))
  return { child, finished, stdout: () => texts.stdout, stderr: () => texts.stderr }
}

export interface AskOptions {
  readonly port: number
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
  readonly ca?: string
}

/** One request on a connection of its own, with whatever headers, Host included. */
export function ask(path: string, { port, method = 'GET', headers = {}, body, ca }: AskOptions): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options = { host: '127.0.0.1', port, path, method, headers, agent: false }
  const made = ca === undefined ? request(options) : requestTls({ ...options, ca, servername: 'localhost' })
  made.on('error', reject)
  made.on('response', (res) => {
    let text = ''
    res.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }))
    res.on('error', reject)
  })
  made.end(body)
  return promise
}

export interface Conversation {
  write(text: string): void
  /** What came so far. */
  received(): string
  readonly closed: Promise<unknown>
}

/** A connection that stays open; gone after the test. */
export async function converse(port: number): Promise<Conversation> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    received += part
  })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  return { write: (text) => void socket.write(text), received: () => received, closed }
}

/** Writes bytes to the port and gives back what came until the other side hung up. */
export function speakRaw(port: number, text: string): Promise<{ readonly answer: string; readonly ms: number }> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve({ answer, ms: performance.now() - startedAt }))
  })
}

export interface HalfAsked {
  readonly registration: Conversation
  readonly readiness: Conversation
  /** Sends the rest of both; gives what was answered. */
  finish(): Promise<{ readonly registered: string; readonly ready: string }>
}

/** A registration of which the server has the head, and a question for readiness that is half asked: connections at work. */
export async function askHalf({ port, url }: TestServer, account: object): Promise<HalfAsked> {
  const [registration, readiness] = [await converse(port), await converse(port)]
  const { host } = new URL(url)
  const body = JSON.stringify(account)
  const type = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nExpect: 100-continue`
  registration.write(`POST /api/register HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${type}\r\n\r\n`)
  await until(() => registration.received().includes(' 100 '))
  readiness.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await until(() => readiness.received().includes(' 200 '))
  readiness.write(`GET /readyz HTTP/1.1\r\nHost: ${host}\r\n`)
  return {
    registration,
    readiness,
    async finish() {
      const before = readiness.received().length
      readiness.write('\r\n')
      await readiness.closed
      registration.write(body)
      await registration.closed
      return { registered: registration.received().split('\r\n\r\n').slice(1).join(), ready: readiness.received().slice(before) }
    },
  }
}

/** JSON to our API, as a program sends it. */
export function post(server: TestServer, path: string, body: object, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  const host = new URL(server.url).host
  const sent = { Host: host, 'Content-Type': 'application/json', ...headers }
  return ask(path, { port: server.port, method: 'POST', headers: sent, body: JSON.stringify(body) })
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}
