// The log: JSON lines for machines, pretty ones for a terminal; what looks secret is redacted.
import { pino } from 'pino'
import { systemClock } from '../domain/clock.ts'
import type { Logger } from '../domain/logger.ts'
import { printable } from '../domain/printable.ts'
import type { Config } from './config.ts'
import { LogOutput } from './log-output.ts'
import { redact } from './redact.ts'

export interface ServerLog extends Logger {
  fatal(fields: object, message: string): void
  /** One finished request. */
  request(line: RequestLine): void
  /** The line that says where the site is open. */
  startupBanner(url: string, fields: object): void
  /** Writes out what is buffered: resolves when it is done, or soon where nobody reads it. */
  flush(): Promise<void>
}

/** All that is logged of a request: no query, no header, no body. */
export interface RequestLine {
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly ms: number
  readonly ip: string | undefined
  /** The visitor left before the answer was complete. */
  readonly aborted?: boolean
}

/** Where several processes write to one place, a pipe keeps so many bytes of one write together (POSIX: PIPE_BUF is 512 at least, 4096 on Linux). */
const MAX_SHARED_WRITE_BYTES = 4096
/** A path of this length, every character of it escaped, leaves room for the rest of a line in what is kept together. */
const MAX_PATH_LENGTH = 1500
/** A line may wait this long for others: one write for many costs a fraction. Nothing is lost but by `kill -9`. */
const DELAY_MS = 200
const MAX_WRITE_BYTES = 64 * 1024

export interface LogOptions {
  /** Whether other processes write to the same place. Default: false. */
  readonly shared?: boolean
  /** Stands in every line. */
  readonly base?: Readonly<Record<string, number>>
}

export async function createLog(
  { log: { level, format } }: Pick<Config, 'log'>,
  { shared = false, base }: LogOptions = {},
): Promise<ServerLog> {
  const isPretty = (format ?? (process.stdout.isTTY ? 'pretty' : 'json')) === 'pretty'
  const output = new LogOutput({
    maxWriteBytes: shared ? MAX_SHARED_WRITE_BYTES : MAX_WRITE_BYTES,
    delayMs: isPretty ? 0 : DELAY_MS,
  })
  const pretty = isPretty ? await prettyLines() : undefined
  // Whoever looks at a file looks at it in a terminal, too. What is made pretty is printed as it is, no longer as JSON escapes it.
  const toText = pretty === undefined ? printable : (line: string) => pretty(withPrintableValues(line))
  const stream = { write: (line: string) => output.write(toText(line)) }
  const lines = pino(
    {
      level,
      base: base ?? null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (logged) => logged },
      formatters: { level: (label) => ({ level: label }), log: redact },
    },
    stream,
  )
  const logsRequests = lines.isLevelEnabled('info')
  const extra = base === undefined ? '' : `,${JSON.stringify(base).slice(1, -1)}`
  return {
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    fatal: (fields, message) => lines.fatal(fields, message),
    request: logsRequests ? (line) => stream.write(requestLine(line, extra)) : () => {},
    startupBanner(url, fields) {
      const text = `Guildhall is open at ${url}`
      // Whatever the level: somebody, or something, is waiting for it.
      const line = { level: 'info', time: timeNow(), ...fields, msg: text }
      output.write(isPretty ? `${text}\n` : `${JSON.stringify(line)}\n`)
      void output.flush()
    },
    flush: () => output.flush(),
  }
}

/** Loaded where a person looks on. */
async function prettyLines(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  return prettyFactory({ colorize: process.stdout.isTTY, singleLine: true, translateTime: 'SYS:HH:MM:ss' })
}

function withPrintableValues(line: string): string {
  return `${JSON.stringify(JSON.parse(line, (_name, value) => (typeof value === 'string' ? printable(value) : value)))}\n`
}

/** Visitors choose paths: one that is too long would be torn apart by the lines of others. */
export function truncatePath(path: string): string {
  return path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path
}

/** Written by hand: it is the one line that every request pays for. What a visitor can choose is escaped. */
function requestLine({ requestId, method, path, status, ms, ip, aborted }: RequestLine, extra: string): string {
  const from = ip === undefined ? '' : `,"ip":${JSON.stringify(ip)}`
  const end = aborted ? ',"aborted":true' : ''
  const asked = `"requestId":"${requestId}","method":"${method}","path":${JSON.stringify(path)}`
  return `{"level":"info","time":"${timeNow()}"${extra},${asked},"status":${status},"ms":${ms}${from}${end},"msg":"request"}\n`
}

let lastMs = 0
let lastTime = ''

/** The ISO time, made anew only when the millisecond has changed. */
function timeNow(): string {
  const now = systemClock.now()
  if (now === lastMs) return lastTime
  lastMs = now
  lastTime = new Date(now).toISOString()
  return lastTime
}
