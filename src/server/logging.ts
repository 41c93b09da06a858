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
  /** The line with the site's address. */
  startupBanner(url: string, fields: object): void
  /** Writes out what is buffered: resolves when it is done, or after half a second if nobody reads it. */
  flush(): Promise<void>
}

/** All that is logged of a request: never its query, headers or body. */
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

/** Processes may share one pipe, which keeps so many bytes of one write together (POSIX: PIPE_BUF is at least 512, 4096 on Linux). */
const MAX_SHARED_WRITE_BYTES = 4096
/** Even if every character of it is escaped, such a path leaves space for the rest of the line. */
const MAX_PATH_LENGTH = 1500
/** How long a line may wait for others: one write for many is cheaper. Only `kill -9` loses them. */
const DELAY_MS = 200
const MAX_WRITE_BYTES = 64 * 1024

export interface LogOptions {
  /** Whether other processes write to the same place. Default: false. */
  readonly shared?: boolean
  /** Fields of every line. */
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
  // Log files are read in terminals too: control characters are escaped, in the pretty format before it undoes those of JSON.
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
      // Printed at every level: a person or a program waits for it.
      const line = { level: 'info', time: timeNow(), ...fields, msg: text }
      output.write(isPretty ? `${text}\n` : `${JSON.stringify(line)}\n`)
      void output.flush()
    },
    flush: () => output.flush(),
  }
}

/** Loaded only for the pretty format. */
async function prettyLines(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  return prettyFactory({ colorize: process.stdout.isTTY, singleLine: true, translateTime: 'SYS:HH:MM:ss' })
}

function withPrintableValues(line: string): string {
  return `${JSON.stringify(JSON.parse(line, (_name, value) => (typeof value === 'string' ? printable(value) : value)))}\n`
}

/** Visitors choose paths: a pipe could split a line that is too long. */
export function truncatePath(path: string): string {
  return path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path
}

/** Written by hand: every request pays for this line. What a visitor can choose is escaped. */
function requestLine({ requestId, method, path, status, ms, ip, aborted }: RequestLine, extra: string): string {
  const from = ip === undefined ? '' : `,"ip":${JSON.stringify(ip)}`
  const end = aborted ? ',"aborted":true' : ''
  const requestFields = `"requestId":"${requestId}","method":"${method}","path":${JSON.stringify(path)}`
  return `{"level":"info","time":"${timeNow()}"${extra},${requestFields},"status":${status},"ms":${ms}${from}${end},"msg":"request"}\n`
}

let lastMs = 0
let lastTime = ''

/** The ISO time, formatted once a millisecond. */
function timeNow(): string {
  const now = systemClock.now()
  if (now === lastMs) return lastTime
  lastMs = now
  lastTime = new Date(now).toISOString()
  return lastTime
}
