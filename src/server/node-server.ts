// Node's own server with bounds on slow clients and headers; what is no HTTP gets a plain answer.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Config } from './config.ts'
import { PipelinedRequests } from './pipelined-requests.ts'

const SECONDS = 1000

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  // Slow headers or a slow body (slowloris) are cut off after 10 and 15 seconds, checked every second.
  headersTimeout: 10 * SECONDS,
  requestTimeout: 15 * SECONDS,
  connectionsCheckingInterval: SECONDS,
  // A little more than the 60 seconds after which load balancers close an idle connection.
  keepAliveTimeout: 65 * SECONDS,
  insecureHTTPParser: false,
}

/** A client that has read nothing for so long is gone. */
const IDLE_TIMEOUT_MS = 10 * SECONDS
const FORCE_CLOSE_MS = SECONDS

/** TLS 1.3, and the suites of 1.2 with forward secrecy and AEAD: Mozilla's intermediate configuration, https://ssl-config.mozilla.org */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** `hsts`: the header for answers that are written by hand. */
export function createNodeServer(
  { tls, hsts: strictTransport }: Pick<Config, 'tls' | 'hsts'>,
  listener: RequestListener,
): Server {
  const closing = { strictTransport: tls && strictTransport }
  const pipelined = new PipelinedRequests((req, res) => {
    // Express would answer a request without a usable path by itself, before any of our checks.
    if (!isReadable(req)) return endPlainly(req.socket, 400, closing)
    listener(req, res)
  })
  const listen: RequestListener = (req, res) => pipelined.handle(req, res)
  const server = tls
    ? createTlsServer({ ...LIMITS, ...tls, ciphers: CIPHERS, handshakeTimeout: 10 * SECONDS }, listen)
    : createServer(LIMITS, listen)
  server.timeout = IDLE_TIMEOUT_MS
  server.on('timeout', (socket: Socket) => {
    // A client that waits for our answer may stay; one that is idle or does not read is disconnected.
    if (!pipelined.isBusy(socket) || socket.writableLength > 0) socket.destroy()
  })
  server.on('clientError', (error: Error, socket: Duplex) => {
    if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) return socket.destroy()
    endPlainly(socket, statusOf(error), closing)
  })
  server.on('connect', (_req, socket: Duplex) => endPlainly(socket, 405, closing))
  // An unknown Expect may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', listen)
  return server
}

/** At most one Host, and a request target in one of the forms of RFC 9112 section 3.2. */
function isReadable({ url = '', rawHeaders }: IncomingMessage): boolean {
  if (!url.startsWith('/') && url !== '*' && !URL.canParse(url)) return false
  // Node keeps the first of two, while a proxy in front may have checked the other.
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === HOST.length && rawHeaders[at]?.toLowerCase() === HOST) hosts++
  return hosts <= 1
}

const HOST = 'host'

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

interface Closing {
  readonly strictTransport: string | undefined
}

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

/** Express needs a request, which is missing here: the answer is written by hand, and the connection ends. */
function endPlainly(socket: Duplex, status: PlainStatus, { strictTransport }: Closing): void {
  const text = `${STATUS_TEXTS[status]}\n`
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length}`,
    'Cache-Control: no-store',
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options: nosniff',
    ...(status === 405 ? ['Allow: GET, HEAD, POST, OPTIONS'] : []),
    ...(strictTransport === undefined ? [] : [`Strict-Transport-Security: ${strictTransport}`]),
    'Connection: close',
  ]
  // Node has removed its own listener from a CONNECT's socket: a reset would be an uncaught exception.
  socket.on('error', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`)
  setTimeout(() => socket.destroy(), FORCE_CLOSE_MS).unref()
}
