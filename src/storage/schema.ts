// The nouns as tables. Times are milliseconds since 1970 UTC, flags are 0 or 1, on every database alike.

import type { UserStatus } from '../domain/user.ts'

export interface UsersTable {
  id: string
  /** As typed. */
  username: string
  /** As compared: `canonicalUsername`. Unique. */
  username_key: string
  display_name: string
  status: UserStatus
  /** Raised whenever a credential or the status changes; a session carries the epoch it was made in. */
  credential_epoch: number
  /** A JSON array of role names. */
  roles: string
  created_at: number
  /** The language that the person chose, as a tag: `zh-TW`. */
  locale: string | null
}

export interface CredentialsTable {
  id: string
  user_id: string
  kind: 'password'
  /** The hash of a password in the form that passwords/format.ts names. */
  value: string
  created_at: number
  changed_at: number
}

export interface SessionsTable {
  hash: string
  public_id: string
  data: string
  revision: number
  created_at: number
  last_seen_at: number
  idle_ms: number
  expires_at: number
  ends_at: number
  persistent: number
  user_id: string | null
  credential_epoch: number | null
  factors: string | null
  authenticated_at: number | null
  ip: string | null
  user_agent: string | null
}

export interface CountersTable {
  key: string
  count: number
  expires_at: number
}

export interface AuditTable {
  id: string
  at: number
  event: string
  outcome: string
  user_id: string | null
  ip: string | null
  user_agent: string | null
}

export interface Schema {
  users: UsersTable
  credentials: CredentialsTable
  sessions: SessionsTable
  counters: CountersTable
  audit: AuditTable
}

export type TableName = keyof Schema

/** Every table with its key, a table before those whose rows hang on its own. What moves a whole database goes by this list. */
export const TABLE_KEYS = {
  users: 'id',
  credentials: 'id',
  sessions: 'hash',
  counters: 'key',
  audit: 'id',
} as const satisfies { readonly [Name in TableName]: keyof Schema[Name] }
