// Who asks, made from a request. `req.ip` is Express's: it believes a forwarding header only as far as `trust proxy` says.
import type { Request } from 'express'
import type { Caller } from '../core/core.ts'
import type { Http } from './http.ts'

const LONGEST_USER_AGENT = 300

export function callerOf({ sessions }: Http, req: Request): Caller {
  return {
    ip: req.ip,
    userAgent: req.headers['user-agent']?.slice(0, LONGEST_USER_AGENT),
    get session() {
      return sessions.row(req)
    },
    startSession: (login) => sessions.renew(req, login),
    endSession: () => sessions.end(req),
  }
}
