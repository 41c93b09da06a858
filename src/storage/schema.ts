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
  /** Raised with every change of a credential or the status; a session keeps the epoch of its login. */
  credential_epoch: number
  /** A JSON array of role names. */
  roles: string
  created_at: number
  /** The language that the person chose, as a tag: `zh-TW`. */
  locale: string | null
}

/** The ways to log in: a user may have one password, or none, and later several passkeys. */
export interface CredentialsTable {
  id: string
  user_id: string
  kind: 'password'
  /** The unique lookup value within its kind. A password is found by its user. */
  lookup: string | null
  /** The person's own name for it. */
  label: string | null
  /** The data for verification: for a password its hash, in the format of passwords/format.ts. */
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
  /** JSON, which `core/counter-state.ts` reads. */
  state: string
  /** When all of it has expired. */
  expires_at: number
}

export interface AuditTable {
  /** UUIDv7: sorts by time. */
  id: string
  at: number
  event: string
  outcome: string
  /** The user it concerns; NULL also after that user is deleted. */
  user_id: string | null
  /** The user who did it, if another one. NULL for an operator, who is no user of the site: such an entry has no ip either. */
  actor_id: string | null
  ip: string | null
  user_agent: string | null
  /** Further details, as JSON. */
  data: string | null
  /** How the security page shows it (ON_SECURITY_PAGE): harmless entries must not push out important ones. */
  quiet: number
}

/** Which process holds a lease. */
export interface LeasesTable {
  name: string
  holder: string
  until: number
}

/** Its one row has the version of the schema. */
export interface SchemaTable {
  version: number
  /** The source of an unfinished copy; else NULL. */
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

/** Every table with its key, each before the tables that refer to it. Copies of a whole database follow this list. */
export const TABLE_KEYS = {
  guildhall_users: 'id',
  guildhall_credentials: 'id',
  guildhall_sessions: 'hash',
  guildhall_counters: 'key',
  guildhall_audit: 'id',
} as const satisfies { readonly [Name in keyof Schema]?: keyof Schema[Name] }

export type TableName = keyof typeof TABLE_KEYS
