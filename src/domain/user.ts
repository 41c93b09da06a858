// What applications and clients see of a user: both are allow-lists.

/** A user as applications see them in `req.user`: without hashes, tokens and internal flags. */
export interface User {
  /** Opaque and stable; the username may change. */
  readonly id: string
  readonly username: string
  /** What to call the person; the username if they chose no other name. */
  readonly displayName: string
  readonly email: string | undefined
  readonly emailVerified: boolean
  readonly roles: readonly string[]
  readonly createdAt: Date
}

/** A user in JSON. */
export interface UserJson extends Omit<User, 'email' | 'createdAt'> {
  readonly email: string | null
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** Only an active user can log in; the sessions of any other are dead. */
export type UserStatus = (typeof USER_STATUSES)[number]

/** `suspended` by an operator, `waiting` until the address is proven, `leaving` until the deletion is done. */
export const USER_STATUSES = ['active', 'suspended', 'waiting', 'leaving'] as const

/** The statuses that an operator may set. */
export type SettableStatus = 'active' | 'suspended'

export const SETTABLE_STATUSES: readonly SettableStatus[] = ['active', 'suspended']

/** The stored fields that applications may see. */
interface Stored extends Pick<User, 'id' | 'username' | 'displayName' | 'email' | 'emailVerified' | 'roles'> {
  readonly createdAt: number
}

export function toUser({ id, username, displayName, email, emailVerified, roles, createdAt }: Stored): User {
  return { id, username, displayName, email, emailVerified, roles, createdAt: new Date(createdAt) }
}

export function toJson({ id, username, displayName, email, emailVerified, roles, createdAt }: User): UserJson {
  return { id, username, displayName, email: email ?? null, emailVerified, roles, createdAt: createdAt.toISOString() }
}
