// Node's own server with bounds on slow clients and headers; what is no HTTP gets a plain answer.
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Config } from './config.ts'

const SECONDS = 1000

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  // Slow headers, a slow body (slowloris): cut after 10 and 15 seconds, looked after every second.
  headersTimeout: 10 * SECONDS,
  requestTimeout: 15 * SECONDS,
  connectionsCheckingInterval: SECONDS,
  // A little more than the 60 seconds after which load balancers give an idle connection up.
  keepAliveTimeout: 65 * SECONDS,
  insecureHTTPParser: false,
}

/** A client that takes none of its answer for so long has left. */
const IDLE_TIMEOUT_MS = 10 * SECONDS
const FORCE_CLOSE_MS = SECONDS

export function createNodeServer({ tls }: Pick<Config, 'tls'>, listener: RequestListener): Server {
  const answering = new WeakSet<Socket>()
  const listen: RequestListener = (req, res) => {
    const { socket } = req
    answering.add(socket)
    res.once('close', () => answering.delete(socket))
    // What Express could not find a path in, it would answer by itself, past every step of ours.
    if (!isReadable(req.url ?? '')) return endPlainly(socket, 400, tls !== undefined)
    listener(req, res)
  }
  const server = tls
    ? createTlsServer({ ...LIMITS, ...tls, handshakeTimeout: 10 * SECONDS }, listen)
    : createServer(LIMITS, listen)
  server.timeout = IDLE_TIMEOUT_MS
  server.on('timeout', (socket: Socket) => {
    // Who waits for us is let wait; who is idle, or does not read what we wrote, is not.
    if (!answering.has(socket) || socket.writableLength > 0) socket.destroy()
  })
  server.on('clientError', (error: Error, socket: Duplex) => {
    if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) return socket.destroy()
    endPlainly(socket, statusOf(error), tls !== undefined)
  })
  server.on('connect', (_req, socket: Duplex) => endPlainly(socket, 405, tls !== undefined))
  // An Expect that nobody knows may be passed over (RFC 9110 section 10.1.1).
  server.on('checkExpectation', listen)
  return server
}

/** A request target in one of the forms of RFC 9112 section 3.2. */
function isReadable(target: string): boolean {
  return target.startsWith('/') || target === '*' || URL.canParse(target)
}

/** Resolves with the port that was taken. */
export function listen(server: Server, { port, host }: Pick<Config, 'port' | 'host'>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

const STATUS_TEXTS = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
} as const

type PlainStatus = keyof typeof STATUS_TEXTS

const STATUS_BY_CODE: Readonly<Record<string, PlainStatus>> = {
  HPE_INVALID_METHOD: 501,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

function statusOf(error: Error): PlainStatus {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return STATUS_BY_CODE[code] ?? 400
}

/** Before there is a request there is no Express: the answer is written by hand, and the connection ends. */
function endPlainly(socket: Duplex, status: PlainStatus, isTls: boolean): void {
  const text = `${STATUS_TEXTS[status]}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length}`,
    'Cache-Control: no-store',
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options: nosniff',
    ...(status === 405 ? ['Allow: GET, HEAD, POST, OPTIONS'] : []),
    ...(isTls ? [`Strict-Transport-Security: ${HSTS}`] : []),
    'Connection: close',
  ]
  // Node has taken its own listener off a CONNECT's socket: a reset would be an uncaught exception, and end the process.
  socket.on('error', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`)
  setTimeout(() => socket.destroy(), FORCE_CLOSE_MS).unref()
}

/** One year, subdomains too (ASVS 3.4.1). */
export const HSTS = 'max-age=31536000; includeSubDomains'
