// The load: `wrk` where it is installed, else autocannon. Always a process of its own, always over keep-alive connections.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const CONNECTIONS = 16

export interface Load {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly seconds: number
  /** A file with one Cookie header per line: each request takes the next. Only with wrk. */
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

export function load(what: Load): Promise<Served> {
  return hasWrk ? loadWithWrk(what) : loadWithAutocannon(what)
}

/** Load that goes on until it is stopped. */
export function startLoad({ url, headers = {} }: Omit<Load, 'seconds'>, longestSeconds: number): { stop(): void } {
  const given = Object.entries(headers)
  const child = hasWrk
    ? spawn(WRK, wrkArguments({ url, headers, seconds: longestSeconds }), { stdio: 'ignore' })
    : spawn(process.execPath, [AUTOCANNON, ...autocannonArguments(given, longestSeconds), url], { stdio: 'ignore' })
  return { stop: () => void child.kill('SIGINT') }
}

function wrkArguments({ url, headers = {}, seconds }: Load): string[] {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', ...given, url]
}

async function loadWithWrk(what: Load): Promise<Served> {
  const { cookies } = what
  const script = cookies === undefined ? [] : ['-s', resolve(import.meta.dirname, 'cookies.lua')]
  const env = { ...process.env, ...(cookies !== undefined && { COOKIES: cookies }) }
  const { stdout } = await run(WRK, [...script, ...wrkArguments(what)], { env })
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? []
  return {
    requests: numberIn(stdout, /(\d+) requests in/),
    perSecond: numberIn(stdout, /Requests\/sec:\s+([\d.]+)/),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    failures: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0) + errors.reduce((sum, n) => sum + Number(n), 0),
  }
}

const AUTOCANNON = resolve(import.meta.dirname, 'node_modules/autocannon/autocannon.js')

function autocannonArguments(headers: readonly (readonly [string, string])[], seconds: number): string[] {
  const given = headers.flatMap(([name, value]) => ['-H', `${name}=${value}`])
  return ['-c', String(CONNECTIONS), '-d', String(seconds), '--json', '--no-progress', ...given]
}

async function loadWithAutocannon({ url, headers = {}, seconds }: Load): Promise<Served> {
  const { stdout } = await run(process.execPath, [AUTOCANNON, ...autocannonArguments(Object.entries(headers), seconds), url])
  const { requests, latency, errors, non2xx } = JSON.parse(stdout)
  return { requests: requests.total, perSecond: requests.average, p99Ms: latency.p99, failures: errors + non2xx }
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`the load generator said nothing that fits ${pattern}:\n${text}`)
  return Number(found)
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

function milliseconds(match: RegExpExecArray | null): number {
  return Number(match?.[1] ?? Number.NaN) * (UNITS[match?.[2] ?? ''] ?? Number.NaN)
}
