// Sends bytes over a socket as no browser or client library would, and reads the answer.
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** The status line and the headers. */
  readonly head: string
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  /** Goes out as it is: nothing is resolved or encoded. */
  readonly path: string
  /** `Name: value` lines, one byte per character. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** The server closes the connection after one answer. A status of 0 says that it closed without one. */
export function sendRaw(base: string, { method = 'GET', path, headers = [], body = '' }: RawRequest): Promise<RawAnswer> {
  const { host, port } = new URL(base)
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers, ...length]
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(read(Buffer.concat(chunks).toString('utf8'))))
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
    socket.write(body)
  })
}

function read(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end)
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: end < 0 ? '' : text.slice(end + 4) }
}
