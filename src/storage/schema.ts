// The nouns as tables. Times are milliseconds since 1970 UTC, flags are 0 or 1.

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

/** The ways to log in. A user may have none of a kind, one password, several passkeys. */
export interface CredentialsTable {
  id: string
  user_id: string
  kind: 'password'
  /** What it is found by, unique within its kind. A password is found by its user. */
  lookup: string | null
  /** What the person calls it. */
  label: string | null
  /** What is proven against it: of a password the hash, in the form that passwords/format.ts names. */
  data: string
  created_at: number
  changed_at: number
  used_at: number | null
}

export interface SessionsTable {
  hash: string
  public_id: string
  data: string
  /** Raised by each update of the data. */
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
  /** JSON that `core/counter-state.ts` reads. */
  state: string
  /** When nothing of it counts any more. */
  expires_at: number
}

export interface AuditTable {
  /** UUIDv7: sorts by time. */
  id: string
  at: number
  event: string
  outcome: string
  /** Whom it happened to; NULL also once that user is deleted. */
  user_id: string | null
  /** The user who did it, if it was another one. NULL for an operator, who is no user of the site: such an entry has no ip either. */
  actor_id: string | null
  ip: string | null
  user_agent: string | null
  /** What more there is to know, as JSON. */
  data: string | null
  /** How the person is shown it, as ON_SECURITY_PAGE says: what concerns no security must not push out what does. */
  quiet: number
}

/** Which process does what only one may do at a time. */
export interface LeasesTable {
  name: string
  holder: string
  until: number
}

/** Its one row says which schema this is. */
export interface SchemaTable {
  version: number
  /** Whose copy is not finished; NULL where nothing is being copied. */
  copying: string | null
}

export interface Schema {
  guildhall_users: UsersTable
  guildhall_credentials: CredentialsTable
  guildhall_sessions: SessionsTable
  guildhall_counters: CountersTable
  guildhall_audit: AuditTable
  guildhall_leases: LeasesTable
  guildhall_schema: SchemaTable
}

/** Every table of data with its key, a table before those whose rows refer to it. What moves a whole database goes by this list. */
export const TABLE_KEYS = {
  guildhall_users: 'id',
  guildhall_credentials: 'id',
  guildhall_sessions: 'hash',
  guildhall_counters: 'key',
  guildhall_audit: 'id',
} as const satisfies { readonly [Name in keyof Schema]?: keyof Schema[Name] }

export type TableName = keyof typeof TABLE_KEYS
