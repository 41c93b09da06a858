// Starts and stops what is measured: each server is a process of its own, with a channel through which it tells what it has used.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { devNull, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { External, Need } from './external.ts'
import type { Usage } from './probe.ts'

const HERE = import.meta.dirname
const BIN = resolve(HERE, '../bin/guildhall.js')
const PROBE = resolve(HERE, 'probe.ts')
const LONGEST_START_MS = 20_000

export interface Measured {
  readonly pid: number
  readonly base: string
  /** Milliseconds from the start of the process to its first answer. */
  readonly startMs: number
  usage(): Promise<Usage>
  stop(): Promise<void>
}

const temporary: string[] = []

/** A folder that `removeFolders` takes away. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'guildhall-bench-'))
  temporary.push(folder)
  return folder
}

/** A file for the load generator: each request takes the next line. */
export function linesFile(lines: readonly string[]): string {
  const file = join(newFolder(), 'lines')
  writeFileSync(file, lines.join('\n'))
  return file
}

export function removeFolders(): void {
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** One of the applications of apps.ts, in production. */
export async function startApp(name: string, external?: External): Promise<Measured> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--import', PROBE, resolve(HERE, 'apps.ts'), name, newFolder()], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BENCH_REDIS: external?.redis?.url,
      BENCH_POSTGRES: external?.postgres && (await external.newSchema()),
    },
  })
  const port = await new Promise<number>((done, fail) => {
    child.once('message', (message: { readonly port: number }) => done(message.port))
    child.once('exit', (code) => fail(new Error(`${name} ended with ${code} before it listened`)))
  })
  return measured(child, `http://127.0.0.1:${port}`, startedAt)
}

export interface ServerOptions {
  readonly flags?: readonly string[]
  /** Beyond those of a site in production over SQLite. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What leads `guildhall serve` to the stores: a schema of its own, and the benchmark's Redis. */
export async function serverSettings(needs: readonly Need[], external: External): Promise<Readonly<Record<string, string>>> {
  return {
    ...(needs.includes('PostgreSQL') && { DATABASE_URL: await external.newSchema() }),
    ...(needs.includes('Redis') && external.redis && { REDIS_URL: external.redis.url }),
  }
}

/** The whole server as an operator runs it: production, all checks, a log line per request, metrics. The log goes nowhere. */
export async function startServer({ flags = [], settings = {} }: ServerOptions = {}): Promise<Measured> {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--import', PROBE, ...flags, BIN, 'serve'], {
    cwd: newFolder(),
    stdio: ['ignore', openSync(devNull, 'w'), 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: String(port),
      BASE_URL: base,
      INSECURE_HTTP: 'on',
      SECRET: 'Zk3vQ9xT7bL1mN5pR8sW2yA4cE6gH0jK',
      DATABASE_URL: `sqlite:${join(newFolder(), 'members.db')}`,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
      ...settings,
    },
  })
  await untilReady(child, base)
  return measured(child, base, startedAt)
}

function measured(child: ChildProcess, base: string, startedAt: number): Measured {
  return {
    pid: child.pid ?? 0,
    base,
    startMs: performance.now() - startedAt,
    usage() {
      return new Promise((done, fail) => {
        child.once('message', (usage: Usage) => done(usage))
        child.send('usage', (error) => error && fail(error))
      })
    },
    async stop() {
      if (child.exitCode !== null) return
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(killer)
    },
  }
}

async function untilReady(child: ChildProcess, base: string): Promise<void> {
  const deadline = performance.now() + LONGEST_START_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const ready = await fetch(`${base}/readyz`).catch(() => undefined)
    await ready?.arrayBuffer()
    if (ready?.ok) return
    await sleep(5)
  }
  throw new Error('the server did not become ready')
}

/** Below the range that systems give to outgoing connections: on a busy machine one of those would take it before the server does. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) return port
  }
  throw new Error('no port is free')
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((done) => {
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}
