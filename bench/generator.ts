// The load: `wrk`, a process of its own, over keep-alive connections.
import { spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'

export const CONNECTIONS = 16

export interface Load {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** A fraction, too. */
  readonly seconds: number
  /** Default: 16. */
  readonly connections?: number
  /** A file with one Cookie header per line: each request takes the next. */
  readonly cookies?: string
  /** A file with one login per line, a network and a body, parted by a tab: each request is the next. */
  readonly logins?: string
}

export interface Served {
  readonly requests: number
  readonly perSecond: number
  readonly p99Ms: number
  /** Answers that were not 2xx or 3xx, and broken connections. */
  readonly failures: number
}

const WRK: string = 'wrk'
/** Applications that hash on the event loop answer a login of many after seconds. */
const TIMEOUT = '60s'
const COOKIES = resolve(import.meta.dirname, 'cookies.lua')
const LOGINS = resolve(import.meta.dirname, 'logins.lua')

/** What to install where the load generator is missing. */
export function missingGenerator(): string | undefined {
  if (spawnSync(WRK, ['--version']).error === undefined) return undefined
  return 'the benchmark makes its load with wrk, which is not installed here: apt-get install wrk, or brew install wrk'
}

export async function load(what: Load): Promise<Served> {
  const { served, stop } = startLoad(what)
  const timer = setTimeout(stop, what.seconds * 1000)
  try {
    return await served
  } finally {
    clearTimeout(timer)
  }
}

/** Load that ends after so many whole seconds, or when it is stopped: wrk then says what was until there. */
export function startLoad(what: Load): { readonly served: Promise<Served>; stop(): void } {
  const { url, headers = {}, seconds, connections = CONNECTIONS, cookies, logins } = what
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const script = cookies === undefined ? (logins === undefined ? [] : ['-s', LOGINS]) : ['-s', COOKIES]
  const all = [
    '-t1',
    `-c${connections}`,
    `-d${Math.ceil(seconds)}s`,
    '--timeout',
    TIMEOUT,
    '--latency',
    ...script,
    ...fields,
    url,
  ]
  const env = { ...process.env, COOKIES: cookies, LOGINS: logins }
  const child = spawn(WRK, all, { stdio: ['ignore', 'pipe', 'ignore'], env })
  return { served: text(child.stdout).then(read), stop: () => void child.kill('SIGINT') }
}

function read(said: string): Served {
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(said)?.slice(1) ?? []
  return {
    requests: numberIn(said, /(\d+) requests in/),
    perSecond: numberIn(said, /Requests\/sec:\s+([\d.]+)/),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(said)),
    failures: Number(/Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1] ?? 0) + errors.reduce((sum, n) => sum + Number(n), 0),
  }
}

function numberIn(said: string, pattern: RegExp): number {
  const found = pattern.exec(said)?.[1]
  if (found === undefined) throw new Error(`wrk said nothing that fits ${pattern}:\n${said}`)
  return Number(found)
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

function milliseconds(match: RegExpExecArray | null): number {
  return Number(match?.[1] ?? Number.NaN) * (UNITS[match?.[2] ?? ''] ?? Number.NaN)
}
