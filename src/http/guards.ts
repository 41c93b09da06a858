// Guards for the host application's own routes.
import type { RequestHandler } from 'express'
import { type Requirement, unmetRequirement } from '../core/live-session.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import { type ErrorCode, MembershipError } from '../domain/errors.ts'
import { isRoleName } from '../domain/names.ts'
import type { SessionWithUser } from '../storage/contract.ts'
import type { HttpContext } from './http-context.ts'
import { askForLogin } from './login-required.ts'
import { isRead } from './origin-check.ts'
import { isScripted, prefersJson, refuse, sendTo, setHeaders } from './respond.ts'

export interface MemberRequirement {
  /** The role that the user must have. Default: none. Others get 403 `forbidden`. */
  readonly role?: string
  /** How recent the login must be, `'10m'`. Default: any. Others must confirm their password first. */
  readonly within?: Duration
}

export interface Guards {
  readonly requireLogin: RequestHandler
  readonly requireGuest: RequestHandler
  requireMember(requirement: MemberRequirement): RequestHandler
}

export function createGuards(http: HttpContext): Guards {
  const guard = (judge: (session: SessionWithUser | undefined) => ErrorCode | undefined): RequestHandler => {
    return (req, res, next) => {
      if (!http.sessions.handled(req))
        return next(
          new TypeError('a guard runs without its membership in front: put app.use(membership) before the guarded route'),
        )
      const code = judge(http.sessions.row(req))
      if (code === undefined) return next()
      setHeaders(res)
      const endpoint = prefersJson(http, req) ? 'api' : 'page'
      if (code === 'login_required' || code === 'recent_login_required') return askForLogin(http, req, res, endpoint, code)
      if (code === 'already_logged_in' && endpoint === 'page' && isRead(req) && !isScripted(req)) return sendTo(res, http.home)
      refuse(http, req, res, new MembershipError(code))
    }
  }
  const requires = (requirement: Requirement) => guard((session) => unmetRequirement(session, requirement, http.core.clock))
  return {
    requireLogin: requires({}),
    requireMember: (requirement) => {
      const checked = checkRequirement(requirement)
      if (checked.withinMs !== undefined && http.url('recent-login.page') === undefined)
        throw new TypeError("requireMember: within needs the feature recent-login, which features['recent-login'] leaves out")
      return requires(checked)
    },
    requireGuest: guard((session) => (session?.user ? 'already_logged_in' : undefined)),
  }
}

function checkRequirement({ role, within, ...unknown }: MemberRequirement): Requirement {
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw new TypeError(`requireMember knows role and within, got '${name}'`)
  if (role !== undefined && !isRoleName(role))
    throw new TypeError(`requireMember: role must be a role name like 'admin', got '${role}'`)
  const withinMs = within === undefined ? undefined : parseDuration(within)
  if (within !== undefined && withinMs === undefined)
    throw new TypeError(`requireMember: within must be a duration like '10m', got '${within}'`)
  return { role, withinMs }
}
