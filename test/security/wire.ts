// Requests that no browser would send: any header, any path, any bytes.
import { Agent, request } from 'node:http'
import { connect } from 'node:net'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly setCookies: readonly string[]
  readonly text: string
  readonly bytes: Buffer
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | readonly (readonly [string, string])[]
  readonly body?: string | Uint8Array | undefined
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** Sends a request as it is. The connection may be another than the base's name says: a made-up `host` header stays. */
export function ask(base: string, path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Reply> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent,
      hostname: hostname === 'localhost' ? '127.0.0.1' : hostname,
      port,
      path,
      method,
      setHost: false,
    })
    const pairs = Array.isArray(headers) ? headers : Object.entries(headers)
    let hasHost = false
    for (const [name, value] of pairs) {
      if (name.toLowerCase() === 'host') hasHost = true
      if (Array.isArray(headers)) outgoing.appendHeader(name, value)
      else outgoing.setHeader(name, value)
    }
    if (!hasHost) outgoing.setHeader('host', new URL(base).host)
    // For some methods Node would send a body without saying how long it is, and the next request would begin inside it.
    const isFramed = outgoing.hasHeader('transfer-encoding') || outgoing.hasHeader('content-length')
    if (body !== undefined && !isFramed) outgoing.setHeader('content-length', Buffer.byteLength(body))
    outgoing.on('response', (response) => {
      const chunks: Uint8Array[] = []
      response.on('data', (chunk: Uint8Array) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const setCookies = response.headers['set-cookie'] ?? []
        const bytes = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, setCookies, text: String(bytes), bytes })
      })
    })
    // The server may close an idle connection in the moment in which it is used again.
    outgoing.on('error', (error) => {
      if (outgoing.reusedSocket) ask(base, path, { method, headers, body }).then(resolve, reject)
      else reject(error)
    })
    outgoing.end(body)
  })
}

/** Writes bytes to the socket and gives back all that came until the server closed it, or was silent for two seconds. */
export function rawBytes(base: string, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1')
    let came = ''
    socket.setEncoding('latin1')
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('data', (chunk) => {
      came += chunk
    })
    socket.on('error', () => {}) // A reset is an answer too.
    socket.on('close', () => resolve(came))
    socket.write(bytes)
  })
}

/** The status lines in what came over a raw connection. */
export function statusesOf(came: string): number[] {
  return [...came.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
}

/** Begins an upload and hangs up in the middle of it; resolves when the connection is gone. */
export function abortedUpload(base: string, path: string, contentType: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    const head = `POST ${path} HTTP/1.1\r\nHost: ${new URL(base).host}\r\nContent-Type: ${contentType}\r\nContent-Length: 4000\r\n\r\n`
    socket.write(`${head}{"username":"half`, () => setImmediate(() => socket.destroy()))
  })
}
