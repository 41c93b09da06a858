// The load: `wrk` where it is installed, else autocannon. Always a process of its own, always over keep-alive connections.
import { spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'

export const CONNECTIONS = 16

export interface Load {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly seconds: number
  /** A file with one Cookie header per line: each request takes the next. autocannon keeps to the one of `headers`. */
  readonly cookies?: string
}

export interface Served {
  readonly requests: number
  readonly perSecond: number
  readonly p99Ms: number
  /** Answers that were not 2xx or 3xx, and broken connections. */
  readonly failures: number
}

const WRK: string = 'wrk'
export const hasWrk = spawnSync(WRK, ['--version']).error === undefined
export const generatorName = hasWrk ? WRK : 'autocannon'
const AUTOCANNON = resolve(import.meta.dirname, 'node_modules/autocannon/autocannon.js')
const COOKIES = resolve(import.meta.dirname, 'cookies.lua')

/** Load for so many seconds, a fraction too. */
export async function load(what: Load): Promise<Served> {
  const { served, stop } = startLoad(what)
  const timer = setTimeout(stop, what.seconds * 1000)
  try {
    return await served
  } finally {
    clearTimeout(timer)
  }
}

/** Load that ends after so many whole seconds, or when it is stopped: both generators then say what was until there. */
export function startLoad(what: Load): { readonly served: Promise<Served>; stop(): void } {
  const [program, given] = hasWrk ? [WRK, wrkArguments(what)] : [process.execPath, autocannonArguments(what)]
  const child = spawn(program, given, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, COOKIES: what.cookies } })
  const read = hasWrk ? readWrk : readAutocannon
  return { served: text(child.stdout).then(read), stop: () => void child.kill('SIGINT') }
}

function wrkArguments({ url, headers = {}, seconds, cookies }: Load): string[] {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const script = cookies === undefined ? [] : ['-s', COOKIES]
  return ['-t1', `-c${CONNECTIONS}`, `-d${Math.ceil(seconds)}s`, '--latency', ...script, ...given, url]
}

function readWrk(said: string): Served {
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(said)?.slice(1) ?? []
  return {
    requests: numberIn(said, /(\d+) requests in/),
    perSecond: numberIn(said, /Requests\/sec:\s+([\d.]+)/),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(said)),
    failures: Number(/Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1] ?? 0) + errors.reduce((sum, n) => sum + Number(n), 0),
  }
}

function autocannonArguments({ url, headers = {}, seconds }: Load): string[] {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`])
  return [AUTOCANNON, '-c', String(CONNECTIONS), '-d', String(Math.ceil(seconds)), '--json', '--no-progress', ...given, url]
}

function readAutocannon(said: string): Served {
  const { requests, latency, errors, non2xx, duration } = JSON.parse(said)
  return { requests: requests.total, perSecond: requests.total / duration, p99Ms: latency.p99, failures: errors + non2xx }
}

function numberIn(said: string, pattern: RegExp): number {
  const found = pattern.exec(said)?.[1]
  if (found === undefined) throw new Error(`the load generator said nothing that fits ${pattern}:\n${said}`)
  return Number(found)
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

function milliseconds(match: RegExpExecArray | null): number {
  return Number(match?.[1] ?? Number.NaN) * (UNITS[match?.[2] ?? ''] ?? Number.NaN)
}
