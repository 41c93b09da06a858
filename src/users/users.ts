// The use cases without HTTP: what an application or the command line does with accounts.
import { audit } from '../core/audit.ts'
import type { Core } from '../core/core.ts'
import { asUser } from '../core/user.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername, type SettableStatus, type User, type UserStatus } from '../domain/user.ts'
import type { StoredUser } from '../storage/contract.ts'
import { findPassword, findUserByKey, listUsers } from '../storage/users.ts'
import { createUser, type NewUser } from './create-user.ts'
import { rename } from './rename.ts'
import { endSessionOf, type ListedSession, sessionsOf } from './sessions.ts'
import { setStatus } from './set-status.ts'

/** Every method that takes a username finds it whatever its case, and throws MembershipError `not_found` where nobody has it. */
export interface Users {
  /** Makes an account, also where registration is closed. Throws MembershipError `invalid_input` or `username_taken`. */
  create(user: NewUser): Promise<User>
  /** The account with this name; undefined where there is none. */
  find(username: string): Promise<User | undefined>
  /** Accounts by name, at most 1000, those after `after`. Default: the first 100. */
  list(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly User[]>
  /** What an operator wants to know of an account. */
  show(username: string): Promise<AccountDetails>
  /** `'suspended'`: the account cannot log in, and every session of it ends with the answer. `'active'`: it can again. */
  setStatus(username: string, status: SettableStatus): Promise<User>
  /** Another username for the same account; sessions go on. Throws `invalid_input` or `username_taken`. */
  rename(username: string, to: string): Promise<User>
  /** Where the account is logged in, the last seen first. */
  sessions(username: string): Promise<readonly AccountSession[]>
  /** Ends one session by its id, or all; says how many. Throws `not_found` for an id that is none of theirs. */
  endSessions(username: string, options?: { readonly id?: string }): Promise<number>
}

export interface AccountDetails {
  readonly user: User
  readonly status: UserStatus
  readonly passwordChangedAt: Date | undefined
  /** How many sessions are alive. */
  readonly sessions: number
}

export interface AccountSession {
  /** Names the session; not usable as a cookie. */
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly remembered: boolean
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

const MOST_AT_ONCE = 1000

/** The application itself: it has no address and no browser. */
const NOBODY = { ip: undefined, userAgent: undefined, language: undefined } as const

export function createUsers(core: Core): Users {
  const findRow = async (username: string): Promise<StoredUser | undefined> =>
    core.db.first(findUserByKey, { usernameKey: canonicalUsername(username) })
  const getRow = async (username: string): Promise<StoredUser> => {
    const row = await findRow(username)
    if (!row) throw new MembershipError('not_found')
    return row
  }
  return {
    create: async (user) => asUser(await createUser(core, user, NOBODY)),
    async find(username) {
      const row = await findRow(username)
      return row && asUser(row)
    },
    async list({ after = '', limit = 100 } = {}) {
      if (!Number.isInteger(limit) || limit < 1)
        throw new TypeError(`users.list: limit must be a positive whole number, got ${limit}`)
      const rows = await core.db.all(listUsers, { after: canonicalUsername(after), limit: Math.min(limit, MOST_AT_ONCE) })
      return rows.map(asUser)
    },
    async show(username) {
      const row = await getRow(username)
      const password = await core.db.first(findPassword, { userId: row.id })
      const sessions = await sessionsOf(core, row)
      return {
        user: asUser(row),
        status: row.status,
        passwordChangedAt: password && new Date(password.changedAt),
        sessions: sessions.length,
      }
    },
    setStatus: async (username, status) => asUser(await setStatus(core, await getRow(username), status, NOBODY)),
    rename: async (username, to) => asUser(await rename(core, await getRow(username), to, NOBODY)),
    async sessions(username) {
      return (await sessionsOf(core, await getRow(username))).map(toAccountSession)
    },
    async endSessions(username, { id } = {}) {
      const row = await getRow(username)
      if (id === undefined) {
        const ended = await core.db.sessions.deleteByUser(row.id)
        await audit(core, 'session_ended', 'success', row.id, NOBODY)
        return ended
      }
      await endSessionOf(core, row, id, NOBODY)
      return 1
    },
  }
}

function toAccountSession({ id, createdAt, lastSeenAt, expiresAt, remembered, ip, userAgent }: ListedSession): AccountSession {
  const dates = { createdAt: new Date(createdAt), lastSeenAt: new Date(lastSeenAt), expiresAt: new Date(expiresAt) }
  return { id, ...dates, remembered, ip, userAgent }
}
