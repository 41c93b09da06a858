// `membership.users`: what applications and the command line do with users, without HTTP.
import { OPERATOR } from '../core/caller.ts'
import type { Core } from '../core/core.ts'
import { MembershipError } from '../domain/errors.ts'
import { canonicalUsername } from '../domain/names.ts'
import { type SettableStatus, toUser, type User, type UserStatus } from '../domain/user.ts'
import type { StoredUser } from '../storage/contract.ts'
import { findPassword, findUserById, findUserByKey, listUsers, setUndeliverable } from '../storage/users.ts'
import type { NewUser } from './check-new-user.ts'
import { createUser } from './create-user.ts'
import { changeDisplayName } from './display-name.ts'
import { type NoReset, sendReset } from './recovery.ts'
import { rename } from './rename.ts'
import { endAllSessions, endSession, listSessions, type UserSession } from './sessions.ts'
import { setStatus } from './set-status.ts'
import { unlock } from './unlock.ts'

/** Usernames are found in any case, and the user's id works as well. Methods throw MembershipError `not_found` if nobody has the name. */
export interface Users {
  /**
   * Creates a user, even if registration is closed, and calls no hook. Without a password only `req.login` logs them in. Throws
   * MembershipError `invalid_input` or `username_taken`.
   */
  create(user: NewUser): Promise<User>
  /** The user with this name; undefined if there is none. Takes no id. */
  find(username: string): Promise<User | undefined>
  /** Users by name, at most 1000, those after `after`. Default: the first 100. */
  list(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly ListedUser[]>
  /** What an operator needs to know about a user. */
  show(username: string): Promise<UserDetails>
  /** `'suspended'`: the user cannot log in, and every session of theirs ends with the answer. `'active'`: they can again. */
  setStatus(username: string, status: SettableStatus): Promise<User>
  /** Lets a user log in at once who was locked out by wrong passwords; changes nothing otherwise. */
  unlock(username: string): Promise<UnlockedUser>
  /**
   * Mails the user a link to set a new password, also to an address that nobody has proven: for somebody whom the operator knows. Nothing
   * else changes.
   */
  sendReset(username: string): Promise<SentReset>
  /** Gives the user another username; sessions go on. Throws `invalid_input` or `username_taken`. */
  rename(username: string, to: string): Promise<User>
  /** Changes the display name; empty: the username. Throws `invalid_input`. */
  setDisplayName(username: string, displayName: string): Promise<User>
  /**
   * Marks the user's mail address as one that takes no mails, as the provider of your mails reports it later (a bounce). Only notifications
   * are still sent there. Without an address nothing is changed.
   */
  markUndeliverable(username: string): Promise<User>
  /** The user's live sessions, the last seen first. */
  sessions(username: string): Promise<readonly UserSession[]>
  /** Ends one session by its id, or all; returns how many. Throws `not_found` if the id is none of the user's. */
  endSessions(username: string, options?: { readonly id?: string }): Promise<number>
}

export interface ListedUser extends User {
  readonly status: UserStatus
}

export interface UnlockedUser extends User {
  /** Whether the user was locked out. */
  readonly wasLocked: boolean
}

export interface SentReset extends User {
  /** Why no mail is sent. Undefined: it is on its way. */
  readonly problem: NoReset | undefined
}

export interface UserDetails {
  readonly user: User
  readonly status: UserStatus
  /** Whether a mail server refused the address for good: only notifications are still sent there. */
  readonly emailUndeliverable: boolean
  readonly passwordChangedAt: Date | undefined
  /** The number of live sessions. */
  readonly sessions: number
}

const MAX_LISTED = 1000
const ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

export function createUsers(core: Core): Users {
  const findStored = async (username: string): Promise<StoredUser | undefined> =>
    core.db.first(findUserByKey, { usernameKey: canonicalUsername(username) })
  const getStored = async (username: string): Promise<StoredUser> => {
    // An id is longer than any username.
    const row = ID.test(username) ? await core.db.first(findUserById, { id: username.toLowerCase() }) : await findStored(username)
    if (!row) throw new MembershipError('not_found')
    return row
  }
  return {
    create: async (user) => toUser(await createUser(core, user, OPERATOR)),
    async find(username) {
      const row = await findStored(username)
      return row && toUser(row)
    },
    async list({ after = '', limit = 100 } = {}) {
      if (!Number.isInteger(limit) || limit < 1)
        throw new TypeError(`users.list: limit must be a positive whole number, got ${limit}`)
      const rows = await core.db.all(listUsers, { after: canonicalUsername(after), limit: Math.min(limit, MAX_LISTED) })
      return rows.map((row) => ({ ...toUser(row), status: row.status }))
    },
    async show(username) {
      const row = await getStored(username)
      const password = await core.db.first(findPassword, { userId: row.id })
      const sessions = await listSessions(core, row)
      return {
        user: toUser(row),
        status: row.status,
        emailUndeliverable: row.isUndeliverable,
        passwordChangedAt: password && new Date(password.changedAt),
        sessions: sessions.length,
      }
    },
    setStatus: async (username, status) => toUser(await setStatus(core, await getStored(username), status, OPERATOR)),
    async unlock(username) {
      const user = await getStored(username)
      return { ...toUser(user), wasLocked: await unlock(core, user, OPERATOR) }
    },
    async sendReset(username) {
      const user = await getStored(username)
      return { ...toUser(user), problem: await sendReset(core, user, OPERATOR) }
    },
    rename: async (username, to) => toUser(await rename(core, await getStored(username), to, OPERATOR)),
    setDisplayName: async (username, displayName) =>
      toUser(await changeDisplayName(core, await getStored(username), displayName, OPERATOR)),
    async markUndeliverable(username) {
      const user = await getStored(username)
      const { id, emailKey } = user
      if (emailKey !== undefined) await core.db.write(setUndeliverable, { id, emailKey, at: core.clock.now() })
      return toUser(user)
    },
    sessions: async (username) => listSessions(core, await getStored(username)),
    async endSessions(username, { id } = {}) {
      const user = await getStored(username)
      if (id === undefined) return endAllSessions(core, user, OPERATOR)
      await endSession(core, user, id, OPERATOR)
      return 1
    },
  }
}
