// The id that names a request in its answer, in the log and in events.
import type { IncomingMessage } from 'node:http'
import { newId } from '../domain/secret.ts'

const requestIds = new WeakMap<IncomingMessage, string>()

/** The server hands its own id in, a host may too, as `req.id`. */
export function requestIdOf(req: IncomingMessage): string {
  if ('id' in req && typeof req.id === 'string') return req.id
  const known = requestIds.get(req) ?? newId()
  requestIds.set(req, known)
  return known
}
