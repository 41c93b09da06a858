// Whether a request came over HTTPS, as far as it can be known.
import type { IncomingMessage } from 'node:http'

/** How a request is known to have come over HTTPS: by `req.secure`, by X-Forwarded-Proto whoever sent it, or by its socket alone. */
export type Transport = 'express' | 'forwarded' | 'socket'

export function overHttps(req: IncomingMessage, transport: Transport): boolean {
  if ('encrypted' in req.socket && req.socket.encrypted === true) return true
  if (transport === 'express') return 'secure' in req && req.secure === true // Express knows about proxies.
  if (transport === 'socket') return false
  const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',')
  return first.trim().toLowerCase() === 'https'
}
