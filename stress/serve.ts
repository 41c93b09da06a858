// Starts `guildhall serve` in processes of its own on one target, with cheap hashes; killed at the end of a run.
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { freePort } from '../test/support/program.ts'
import { ask } from './http-request.ts'
import type { StorageTarget } from './storage-targets.ts'

const BIN = resolve(import.meta.dirname, '../bin/guildhall.js')
const WATCHDOG = resolve(import.meta.dirname, 'parent-watchdog.ts')
const MAX_START_MS = 120_000

export interface Served {
  readonly base: string
  /** Milliseconds from the start of the process until it was ready. */
  readonly startMs: number
  /** `kill -9`, or what else is asked for, and the end of the process. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Sends the signal, and resolves when the log says this. */
  signalUntil(signal: NodeJS.Signals, said: string): Promise<void>
  /** Of the process that has ended. */
  exitCode(): number | null
}

export interface ServeOptions {
  readonly target: Pick<StorageTarget, 'folder' | 'database' | 'redis'>
  readonly port?: number
  readonly settings?: Readonly<Record<string, string>>
  /** A program and its options, which runs the server under it as the same process. */
  readonly under?: readonly string[]
}

export async function serve({ target, port: given, settings = {}, under = [] }: ServeOptions): Promise<Served> {
  const port = given ?? (await freePort())
  const base = `http://127.0.0.1:${port}`
  const startedAt = performance.now()
  const [program, ...args] = [...under, process.execPath, '--import', WATCHDOG, BIN, 'serve']
  const child = spawn(program, args, {
    cwd: target.folder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      BASE_URL: base,
      DATABASE_URL: target.database,
      ...(target.redis !== undefined && { REDIS_URL: target.redis.url }),
      SECRET: 'a secret of more than thirty-two bytes for stress runs',
      HASH_MEMORY_KIB: '1024',
      HASH_PASSES: '1',
      HASH_WORKERS: '1',
      LOG_LEVEL: 'error',
      LOG_FORMAT: 'json',
      ...settings,
    },
  })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  let errorOutput = ''
  child.stderr?.on('data', (data: Buffer) => {
    errorOutput += data.toString()
  })
  // Read even without a listener: a full pipe would block the server.
  child.stdout?.setEncoding('utf8').on('data', () => {})
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal)
    return ended
  }
  try {
    await untilReady(child, base)
  } catch (error) {
    await kill()
    throw new Error(`a server did not start: ${errorOutput}`, { cause: error })
  }
  return {
    base,
    startMs: performance.now() - startedAt,
    kill,
    exitCode: () => child.exitCode,
    async signalUntil(signal, said) {
      const received = hears(child, said)
      child.kill(signal)
      await received
    },
  }
}

/** Several processes on one target; all are gone when `work` is done. */
export async function withServers<T>(
  count: number,
  options: Omit<ServeOptions, 'port'>,
  work: (servers: readonly Served[]) => Promise<T>,
): Promise<T> {
  const starting = Array.from({ length: count }, () => serve(options))
  try {
    return await work(await Promise.all(starting))
  } finally {
    for (const started of await Promise.allSettled(starting)) if (started.status === 'fulfilled') await started.value.kill()
  }
}

/** Rejects if the process ends before it says so. */
function hears(child: ChildProcess, said: string): Promise<void> {
  let tail = ''
  return new Promise((done, fail) => {
    const end = () => fail(new Error(`the server ended before it said: ${said}`))
    const listen = (text: string) => {
      tail = (tail + text).slice(-text.length - said.length)
      if (!tail.includes(said)) return
      child.stdout?.off('data', listen)
      child.off('exit', end)
      done()
    }
    child.stdout?.on('data', listen)
    child.once('exit', end)
  })
}

async function untilReady(child: ChildProcess, base: string): Promise<void> {
  const deadline = performance.now() + MAX_START_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const answer = await ask(`${base}/readyz`).catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise((done) => setTimeout(done, 5))
  }
  throw new Error('the server did not become ready')
}
