// The use cases without HTTP: what an application or the command line does with accounts.
import type { Core } from './core/core.ts'
import { asUser } from './core/user.ts'
import { canonicalUsername, type User } from './domain/user.ts'
import { createUser, type NewUser } from './features/registration/create-user.ts'
import { findUserByKey, listUsers, toUserRow } from './storage/users.ts'

export interface Users {
  /** Makes an account, also where registration is closed. Throws MembershipError `invalid_input` or `username_taken`. */
  create(user: NewUser): Promise<User>
  /** The account with this name, whatever its case; undefined where there is none. */
  find(username: string): Promise<User | undefined>
  /** Accounts by name, at most 1000, those after `after`. Default: the first 100. */
  list(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly User[]>
}

const MOST_AT_ONCE = 1000

export function createUsers(core: Core): Users {
  return {
    async create(user) {
      return asUser(await createUser(core, user, { ip: undefined, userAgent: undefined }))
    },
    async find(username) {
      const found = await core.db.first(findUserByKey, { usernameKey: canonicalUsername(username) })
      return found && asUser(toUserRow(found))
    },
    async list({ after = '', limit = 100 } = {}) {
      const rows = await core.db.all(listUsers, { after: canonicalUsername(after), limit: Math.min(limit, MOST_AT_ONCE) })
      return rows.map((row) => asUser(toUserRow(row)))
    },
  }
}
