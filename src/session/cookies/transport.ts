// Whether a request came over HTTPS, as far as it can be known.
import type { IncomingMessage } from 'node:http'

/** How a request is known to have come over HTTPS: by `req.secure`, by X-Forwarded-Proto whoever sent it, or by its socket alone. */
export type Transport = 'express' | 'forwarded' | 'socket'

export function overHttps(req: IncomingMessage, transport: Transport): boolean {
  // What a handshake left behind, and a mock, may have none.
  const socket: object | undefined = req.socket
  if (socket && 'encrypted' in socket && socket.encrypted === true) return true
  if (transport === 'express') return 'secure' in req && req.secure === true // Express knows about proxies.
  if (transport === 'socket') return false
  const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',')
  return first.trim().toLowerCase() === 'https'
}
