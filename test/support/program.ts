// A program of ours in a process of its own, on a free port, stopped when the test is over.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Program {
  readonly process: ChildProcess
  readonly base: string
  /** What it printed so far, both streams. */
  output(): string
  stop(): Promise<number | null>
}

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number
}

/** Runs `node ARGS` and waits until its port answers; throws with its output if it ends before. */
export async function runProgram(args: readonly string[], { cwd = ROOT, env = {}, port }: ProgramOptions = {}): Promise<Program> {
  const chosen = port ?? (await freePort())
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(chosen), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()))
  child.stderr.on('data', (data: Buffer) => (printed += data.toString()))
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const base = `http://localhost:${chosen}`
  while (!(await answers(base))) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}: ${printed}`)
    await new Promise((done) => setTimeout(done, 25))
  }
  return {
    process: child,
    base,
    output: () => printed,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answers(base: string): Promise<boolean> {
  try {
    await (await fetch(base, { redirect: 'manual' })).arrayBuffer()
    return true
  } catch {
    return false
  }
}
