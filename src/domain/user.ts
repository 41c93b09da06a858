// What a user is, and what applications and clients see of one: each an allow-list.

/** A person as the application sees them in `req.user`. Never a hash, a token or an internal flag. */
export interface User {
  /** Opaque and stable; the username may change, this never does. */
  readonly id: string
  readonly username: string
  /** What to call the person; the username where they gave no other name. */
  readonly displayName: string
  readonly email: string | undefined
  readonly emailVerified: boolean
  readonly roles: readonly string[]
  readonly createdAt: Date
}

/** The same in JSON. */
export interface UserJson extends Omit<User, 'email' | 'createdAt'> {
  readonly email: string | null
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** Only an active user can log in; whoever was logged in when that ended is out. */
export type UserStatus = (typeof USER_STATUSES)[number]

/** `suspended` by an operator, `waiting` for a proof of the address, `leaving` until the deletion is done. */
export const USER_STATUSES = ['active', 'suspended', 'waiting', 'leaving'] as const

/** What an operator may make of a user. */
export type SettableStatus = 'active' | 'suspended'

export const SETTABLE_STATUSES: readonly SettableStatus[] = ['active', 'suspended']

/** What storage knows of a user that applications may see. */
interface Stored extends Pick<User, 'id' | 'username' | 'displayName' | 'roles'> {
  readonly createdAt: number
}

export function toUser({ id, username, displayName, roles, createdAt }: Stored): User {
  return { id, username, displayName, email: undefined, emailVerified: false, roles, createdAt: new Date(createdAt) }
}

export function toJson({ id, username, displayName, email, emailVerified, roles, createdAt }: User): UserJson {
  return { id, username, displayName, email: email ?? null, emailVerified, roles, createdAt: createdAt.toISOString() }
}
