// `req.session` of a membership: the data, with getters for the user who is logged in.
import { Session } from '../session/request/session.ts'
import type { SessionWithUser } from '../storage/contract.ts'

declare module 'guildhall/session' {
  interface SessionGetters {
    /** Whether somebody is logged in. Assigning it throws. */
    readonly isLoggedIn: boolean
    /** The name of the user who is logged in. Assigning it throws. */
    readonly username: string | undefined
  }
}

export class MembershipSession extends Session<SessionWithUser> {
  get isLoggedIn(): boolean {
    return Session.rowOf(this)?.user !== undefined
  }

  set isLoggedIn(_value: unknown) {
    throw onlyByLogin('isLoggedIn')
  }

  get username(): string | undefined {
    return Session.rowOf(this)?.user?.username
  }

  set username(_value: unknown) {
    throw onlyByLogin('username')
  }
}

/** The application must not log anybody in by accident. */
function onlyByLogin(name: string): TypeError {
  return new TypeError(
    `req.session.${name} says who is logged in and cannot be assigned: a login comes from the login page, or from req.login`,
  )
}
