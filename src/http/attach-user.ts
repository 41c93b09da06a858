// `req.user`: who is logged in, read off the session's row when somebody asks.
import type { Request } from 'express'
import { asUser } from '../core/user.ts'
import type { User } from '../domain/user.ts'
import type { Http } from './http.ts'

declare global {
  namespace Express {
    // Merged with the application's own additions, as @types/passport does it.
    interface User extends GuildhallUser {}
    interface Request {
      user?: User | undefined
    }
  }
}

type GuildhallUser = User

const owner = Symbol('guildhall membership')

interface Owned extends Request {
  [owner]?: Http
}

/** One descriptor for all requests: they keep one shape, and nothing is made for those who never ask. */
const descriptor: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: Owned): User | undefined {
    const row = this[owner]?.sessions.row(this)?.user
    return row && asUser(row)
  },
  set(this: Request, value: unknown) {
    Object.defineProperty(this, 'user', { value, configurable: true, enumerable: true, writable: true })
  },
}

export function attachUser(http: Http, req: Request): void {
  const owned: Owned = req
  owned[owner] = http
  Object.defineProperty(req, 'user', descriptor)
}
