// The id of a request, for its response, the log and events.
import type { IncomingMessage } from 'node:http'
import { newId } from '../domain/secret.ts'

const requestIds = new WeakMap<IncomingMessage, string>()

/** Our server sets `req.id`, and so may an application. */
export function requestIdOf(req: IncomingMessage): string {
  if ('id' in req && typeof req.id === 'string') return req.id
  const known = requestIds.get(req) ?? newId()
  requestIds.set(req, known)
  return known
}
