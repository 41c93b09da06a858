// The nouns as tables. Times are milliseconds since 1970 UTC, flags are 0 or 1.

import type { Generated } from 'kysely'
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
  /** The mail address as typed; NULL if the user has none. */
  email: string | null
  /** As compared. Unique among the proven ones. */
  email_key: string | null
  /** When the user proved that they read the mails to this address; NULL: they have not. */
  email_verified_at: number | null
  /** When a mail server refused the address for good. */
  email_undeliverable_at: number | null
  /** When the user came back: a login after that of the registration, or a request a day later. */
  used_at: number | null
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

/** A secret that works once: mailed as a link, and perhaps as a code beside it. */
export interface TokensTable {
  /** SHA-256 of the token. */
  hash: string
  purpose: string
  user_id: string
  /** What else ends it: `credentials`, `address` or `nothing`. */
  ends_with: string
  /** The address that it was mailed to. */
  email_key: string | null
  /** The keyed digest of the code, and the id of its key. */
  code: string | null
  code_key: string | null
  /** How often a code was compared. */
  tries: Generated<number>
  /** JSON. */
  data: string | null
  created_at: number
  expires_at: number
}

/** What lies between two steps of one browser. */
export interface FlowsTable {
  /** SHA-256 of the flow cookie. */
  hash: string
  /** Which of the browser's flows: the forms of a flow carry it. */
  number: string
  purpose: string
  user_id: string | null
  /** JSON; no token. */
  data: string
  created_at: number
  expires_at: number
}

/** A mail that waits, or one that could not be sent; or a request whose mail is still to be decided. Sent ones are deleted. */
export interface MailsTable {
  /** Its Message-ID begins with it. */
  id: string
  kind: string
  /** Of a request: a keyed digest of kind and identifier, so that one waits for each. */
  request_key: string | null
  user_id: string | null
  /** NULL for a request. */
  recipient: string | null
  recipient_key: string | null
  locale: string | null
  /** JSON; no token. */
  data: string
  /** The user's credential epoch when the mail was decided. */
  epoch: number | null
  /** 128 random bits, base64url: the token of the mail is derived from them. */
  nonce: string
  /** The id of the key that its token is derived with. */
  key_id: string
  /** The least goes first. */
  priority: number
  /** `waiting` or `failed`. */
  state: string
  attempts: Generated<number>
  due_at: number
  created_at: number
  /** When it is no longer worth sending; of a failed one when its row goes. */
  expires_at: number
  last_error: string | null
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
  guildhall_tokens: TokensTable
  guildhall_flows: FlowsTable
  guildhall_mails: MailsTable
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

/** What copies leave out: it works once, or for a short while, and a second database must not do it again. */
export const UNCOPIED_TABLES = ['guildhall_tokens', 'guildhall_flows', 'guildhall_mails'] as const

export type TableName = keyof typeof TABLE_KEYS
