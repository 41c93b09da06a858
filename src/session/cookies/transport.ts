// Whether a request came over HTTPS, as far as it can be known.
import type { IncomingMessage } from 'node:http'

/** How HTTPS is recognised: by `req.secure`, by X-Forwarded-Proto from anybody, or by the socket alone. */
export type Transport = 'express' | 'forwarded' | 'socket'

export function overHttps(req: IncomingMessage, transport: Transport): boolean {
  // A request of a WebSocket handshake, or a mock, may have no socket.
  const socket: object | undefined = req.socket
  if (socket && 'encrypted' in socket && socket.encrypted === true) return true
  if (transport === 'express') return 'secure' in req && req.secure === true // Express knows about proxies.
  if (transport === 'socket') return false
  const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',')
  return first.trim().toLowerCase() === 'https'
}
