// guildhall/testing: a movable clock, a login without a password, a mailbox, the contract of session stores.
import '../domain/node-version.cts'

import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { type Clock, systemClock } from '../domain/clock.ts'
import { type Duration, parseDuration } from '../domain/duration.ts'
import type { Membership } from '../membership.ts'

export { type TestMailbox, testMailbox } from './mailbox.ts'
export { sessionRow } from './session-row.ts'
export { type SuiteOptions, sessionStoreSuite, type TestRunner } from './session-store-contract.ts'

export interface TestClock extends Clock {
  /** Moves the clock: `forward('16m')`. Throws a TypeError if the text is no duration. */
  forward(by: Duration): void
}

/**
 * A clock that stands still until a test moves it. `start`: milliseconds since 1970 UTC. Default: now.
 *
 * @example
 * const clock = testClock()
 * const membership = createMembership({ baseUrl: 'http://localhost:3000', database: 'sqlite::memory:', clock })
 * clock.forward('16m') // every idle session has ended
 */
export function testClock(start: number = systemClock.now()): TestClock {
  let now = start
  return {
    now: () => now,
    forward(by) {
      const ms = parseDuration(by)
      if (ms === undefined) throw new TypeError(`testClock: forward takes a duration like '16m', got '${by}'`)
      now += ms
    },
  }
}

/**
 * Logs a user in without a password and returns the value of the `Cookie` header for further requests. The login is a real one: hook and
 * status are checked, it is audited, and it ends like any other. Throws a TypeError if there is no such user, and in production; throws
 * MembershipError if a hook refuses.
 *
 * @example
 * await membership.users.create({ username: 'alice', password: 'granite lantern ferry' })
 * const cookie = await logInAs(membership, 'alice')
 * const answer = await fetch('http://localhost:3000/diary', { headers: { cookie } })
 */
export async function logInAs(membership: Membership, username: string): Promise<string> {
  // Imported at first use: the contract of stores needs none of it.
  const [{ internalsOf }, { signInById }, { RequestCaller }] = await Promise.all([
    import('../membership.ts'),
    import('../core/sign-in.ts'),
    import('../http/caller.ts'),
  ])
  const { http, settings } = internalsOf(membership)
  if (settings.production) throw new TypeError('logInAs is for tests: this membership is one for production')
  const user = await membership.users.find(username)
  if (!user) throw new TypeError(`logInAs: there is no user ${username}: make one with membership.users.create(...)`)
  const req = new IncomingMessage(new Socket())
  await new Promise<void>((done, fail) => {
    http.sessions.handle(req, new ServerResponse(req), (error) => (error === undefined ? done() : fail(error)))
  })
  await signInById(http.core, user.id, { crossSite: true }, new RequestCaller(http, req))
  if (!('sessionID' in req) || typeof req.sessionID !== 'string') throw new Error('the login made no session')
  return `${http.cookieName}=${req.sessionID}`
}
