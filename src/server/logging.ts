// The log: JSON lines for machines, pretty ones for a terminal. Requests have one line each; what looks like a secret is taken out.
import { pino } from 'pino'
import type { Logger } from '../core/core.ts'
import { systemClock } from '../domain/clock.ts'
import type { Config } from './config.ts'
import { loggable } from './loggable.ts'

export interface ServerLog extends Logger {
  fatal(fields: object, message: string): void
  /** One finished request. */
  request(line: RequestLine): void
  /** The line that says where to go. */
  greet(text: string, fields: object): void
  /** Writes out what is buffered. */
  flush(): void
}

/** All that is told of a request: no query, no header, no body. */
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

/** A line may wait this long for others: one write for many costs a fraction. Nothing is lost but by `kill -9`. */
const FLUSH_MS = 200
const BUFFER_BYTES = 8 * 1024

export async function createLog({ log: { level, format } }: Pick<Config, 'log'>): Promise<ServerLog> {
  const isPretty = (format ?? (process.stdout.isTTY ? 'pretty' : 'json')) === 'pretty'
  const stream = isPretty ? await prettyStream() : jsonStream()
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const lines = pino(
    { ...options, serializers: { err: (logged) => logged }, formatters: { ...options.formatters, log: loggable } },
    stream,
  )
  // Requests have a logger without the second net: their fields are chosen one by one.
  const requests = pino({ ...options, timestamp: coarseTime }, stream)
  const tells = requests.isLevelEnabled('info')
  return {
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    fatal: (fields, message) => lines.fatal(fields, message),
    request: tells ? (line) => requests.info(line, 'request') : () => {},
    greet(text, fields) {
      // Whatever the level: somebody, or something, is waiting for it.
      const line = { level: 'info', time: new Date(systemClock.now()), ...fields, msg: text }
      stream.write(isPretty ? `${text}\n` : `${JSON.stringify(line)}\n`)
      stream.flush()
    },
    flush: () => stream.flushSync(),
  }
}

interface LogStream {
  write(line: string): void
  flush(): void
  flushSync(): void
}

function jsonStream(): LogStream {
  return pino.destination({ fd: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS })
}

/** Loaded where a person looks on; written at once. */
async function prettyStream(): Promise<LogStream> {
  const { default: pretty } = await import('pino-pretty')
  const stream = pretty({
    colorize: process.stdout.isTTY,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    destination: 1,
    sync: true,
  })
  return { write: (line) => void stream.write(line), flush() {}, flushSync() {} }
}

let lastMs = 0
let lastTime = ''

/** The ISO time, written anew only when the millisecond has changed. */
function coarseTime(): string {
  const now = systemClock.now()
  if (now === lastMs) return lastTime
  lastMs = now
  lastTime = `,"time":"${new Date(now).toISOString()}"`
  return lastTime
}
