// Turns the stored user into what applications and clients see.
import type { User } from '../domain/user.ts'
import type { StoredUser } from '../storage/contract.ts'

export function asUser(row: StoredUser): User {
  return {
    id: row.id,
    username: row.username,
    displayName: row.displayName,
    email: undefined,
    emailVerified: false,
    roles: row.roles,
    createdAt: new Date(row.createdAt),
  }
}

/** A user in JSON, by an allow-list: never a hash, a token or an internal flag. */
export interface UserJson {
  readonly id: string
  readonly username: string
  readonly displayName: string
  readonly email: string | null
  readonly emailVerified: boolean
  readonly roles: readonly string[]
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

export function asJson(row: StoredUser): UserJson {
  return userJson(asUser(row))
}

export function userJson({ id, username, displayName, email, emailVerified, roles, createdAt }: User): UserJson {
  return { id, username, displayName, email: email ?? null, emailVerified, roles, createdAt: createdAt.toISOString() }
}
