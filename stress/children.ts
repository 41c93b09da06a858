// Starts programs of a stress run in processes of their own, waits until they are ready, kills them at its end.
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'

const WATCHDOG = resolve(import.meta.dirname, 'parent-watchdog.ts')
const MAX_START_MS = 120_000

export interface Child {
  /** Its address. */
  readonly base: string
  readonly process: ChildProcess
  /** `kill -9`, and the end of the process. */
  kill(): Promise<void>
}

export interface ChildOptions {
  /** A folder for compiled code, for many starts in sequence. */
  readonly compiled?: string | undefined
}

/** `program` is a file beside this one; it sends `{ base }` when it is ready. */
export async function startChild(program: string, argument: object, { compiled }: ChildOptions = {}): Promise<Child> {
  const child = spawn(process.execPath, ['--import', WATCHDOG, resolve(import.meta.dirname, program), JSON.stringify(argument)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled },
  })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  let errorOutput = ''
  child.stderr?.on('data', (data: Buffer) => {
    errorOutput += data.toString()
  })
  let isOver = false
  const kill = () => {
    isOver = true
    child.kill('SIGKILL')
    return ended
  }
  const late = setTimeout(() => void kill(), MAX_START_MS)
  const base = await new Promise<string>((ready, fail) => {
    child.once('message', (message: { base: string }) => ready(message.base))
    child.once('exit', () => fail(new Error(`a process did not start: ${errorOutput}`)))
  })
  clearTimeout(late)
  // One that dies by itself in the middle of a run would only be seen as a connection that broke.
  child.once('exit', (code, signal) => {
    if (!isOver) console.error(`a process of ${program} ended by itself (${code ?? signal}): ${errorOutput}`)
  })
  return { base, process: child, kill }
}

/** Several of the same; all are killed if one of them does not start. */
export async function startChildren(
  count: number,
  program: string,
  argument: object,
  options: ChildOptions = {},
): Promise<readonly Child[]> {
  const started = await Promise.allSettled(Array.from({ length: count }, () => startChild(program, argument, options)))
  const children = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const broken = started.find((one) => one.status === 'rejected')
  if (broken === undefined) return children
  await Promise.all(children.map((child) => child.kill()))
  throw broken.reason
}
