// The schema's history: lists of SQL that both databases take, never edited once released.

export interface Migration {
  readonly number: number
  readonly title: string
  readonly statements: readonly string[]
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    title: 'users, credentials, sessions, counters, audit, leases',
    statements: [
      `CREATE TABLE guildhall_users (
        id text PRIMARY KEY, username text NOT NULL, username_key text NOT NULL UNIQUE, display_name text NOT NULL,
        status text NOT NULL, credential_epoch bigint NOT NULL, roles text NOT NULL, created_at bigint NOT NULL, locale text)`,
      `CREATE TABLE guildhall_credentials (
        id text PRIMARY KEY, user_id text NOT NULL REFERENCES guildhall_users (id) ON DELETE CASCADE, kind text NOT NULL,
        lookup text, label text, data text NOT NULL, created_at bigint NOT NULL, changed_at bigint NOT NULL, used_at bigint,
        CONSTRAINT guildhall_credentials_lookup UNIQUE (kind, lookup))`,
      `CREATE UNIQUE INDEX guildhall_credentials_one_password ON guildhall_credentials (user_id) WHERE kind = 'password'`,
      `CREATE TABLE guildhall_sessions (
        hash text PRIMARY KEY, public_id text NOT NULL UNIQUE, data text NOT NULL, revision bigint DEFAULT 0 NOT NULL,
        created_at bigint NOT NULL, last_seen_at bigint NOT NULL, idle_ms bigint NOT NULL, expires_at bigint NOT NULL,
        ends_at bigint NOT NULL, persistent integer NOT NULL, user_id text REFERENCES guildhall_users (id) ON DELETE CASCADE,
        credential_epoch bigint, factors text, authenticated_at bigint, ip text, user_agent text)`,
      'CREATE INDEX guildhall_sessions_by_user ON guildhall_sessions (user_id)',
      'CREATE INDEX guildhall_sessions_by_expiry ON guildhall_sessions (expires_at)',
      'CREATE TABLE guildhall_counters (key text PRIMARY KEY, state text NOT NULL, expires_at bigint NOT NULL)',
      'CREATE INDEX guildhall_counters_by_expiry ON guildhall_counters (expires_at)',
      `CREATE TABLE guildhall_audit (
        id text PRIMARY KEY, at bigint NOT NULL, event text NOT NULL, outcome text NOT NULL,
        user_id text REFERENCES guildhall_users (id) ON DELETE SET NULL,
        actor_id text REFERENCES guildhall_users (id) ON DELETE SET NULL,
        ip text, user_agent text, data text, quiet integer NOT NULL)`,
      'CREATE INDEX guildhall_audit_by_user ON guildhall_audit (user_id, at)',
      'CREATE INDEX guildhall_audit_by_time ON guildhall_audit (at)',
      'CREATE TABLE guildhall_leases (name text PRIMARY KEY, holder text NOT NULL, until bigint NOT NULL)',
    ],
  },
  {
    number: 2,
    title: 'audit entries that still have an address',
    statements: ['CREATE INDEX guildhall_audit_with_ip ON guildhall_audit (at) WHERE ip IS NOT NULL'],
  },
  {
    number: 3,
    title: 'mail addresses, one-time tokens, flows, outbox',
    statements: [
      'ALTER TABLE guildhall_users ADD COLUMN email text',
      'ALTER TABLE guildhall_users ADD COLUMN email_key text',
      'ALTER TABLE guildhall_users ADD COLUMN email_verified_at bigint',
      'ALTER TABLE guildhall_users ADD COLUMN email_undeliverable_at bigint',
      'ALTER TABLE guildhall_users ADD COLUMN used_at bigint',
      'CREATE UNIQUE INDEX guildhall_users_proven_email ON guildhall_users (email_key) WHERE email_verified_at IS NOT NULL',
      'CREATE INDEX guildhall_users_by_email ON guildhall_users (email_key, created_at) WHERE email_key IS NOT NULL',
      `CREATE TABLE guildhall_tokens (
        hash text PRIMARY KEY, purpose text NOT NULL, user_id text NOT NULL REFERENCES guildhall_users (id) ON DELETE CASCADE,
        ends_with text NOT NULL, email_key text, code text, code_key text, tries integer DEFAULT 0 NOT NULL, data text,
        created_at bigint NOT NULL, expires_at bigint NOT NULL)`,
      'CREATE INDEX guildhall_tokens_by_user ON guildhall_tokens (user_id, purpose)',
      'CREATE INDEX guildhall_tokens_by_expiry ON guildhall_tokens (expires_at)',
      `CREATE TABLE guildhall_flows (
        hash text NOT NULL, number text NOT NULL, purpose text NOT NULL,
        user_id text REFERENCES guildhall_users (id) ON DELETE CASCADE, data text NOT NULL,
        created_at bigint NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (hash, number, purpose))`,
      'CREATE INDEX guildhall_flows_by_user ON guildhall_flows (user_id)',
      'CREATE INDEX guildhall_flows_by_expiry ON guildhall_flows (expires_at)',
      `CREATE TABLE guildhall_mails (
        id text PRIMARY KEY, kind text NOT NULL, request_key text UNIQUE, user_id text REFERENCES guildhall_users (id) ON DELETE CASCADE,
        recipient text, recipient_key text, locale text, data text NOT NULL, epoch bigint, nonce text NOT NULL, key_id text NOT NULL,
        priority integer NOT NULL, state text NOT NULL, attempts integer DEFAULT 0 NOT NULL, due_at bigint NOT NULL,
        created_at bigint NOT NULL, expires_at bigint NOT NULL, last_error text)`,
      'CREATE INDEX guildhall_mails_by_due ON guildhall_mails (state, due_at)',
      'CREATE INDEX guildhall_mails_by_user ON guildhall_mails (user_id)',
      'CREATE INDEX guildhall_mails_by_expiry ON guildhall_mails (expires_at)',
    ],
  },
]
