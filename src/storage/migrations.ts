// The schema's history: numbered lists of statements, never edited once released.
import { type Compilable, type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

export interface Migration {
  readonly number: number
  readonly title: string
  statements(db: Kysely<Schema>): readonly Compilable[]
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    title: 'users, credentials, sessions, counters, audit, leases',
    statements: (db) => [
      db.schema
        .createTable('guildhall_users')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('username', 'text', (column) => column.notNull())
        .addColumn('username_key', 'text', (column) => column.notNull().unique())
        .addColumn('display_name', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('credential_epoch', 'bigint', (column) => column.notNull())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('locale', 'text'),
      db.schema
        .createTable('guildhall_credentials')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('user_id', 'text', (column) => column.notNull().references('guildhall_users.id').onDelete('cascade'))
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('lookup', 'text')
        .addColumn('label', 'text')
        .addColumn('data', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('changed_at', 'bigint', (column) => column.notNull())
        .addColumn('used_at', 'bigint')
        .addUniqueConstraint('guildhall_credentials_lookup', ['kind', 'lookup']),
      db.schema
        .createIndex('guildhall_credentials_one_password')
        .unique()
        .on('guildhall_credentials')
        .column('user_id')
        .where(sql.ref('kind'), '=', sql.lit('password')),
      db.schema
        .createTable('guildhall_sessions')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('public_id', 'text', (column) => column.notNull().unique())
        .addColumn('data', 'text', (column) => column.notNull())
        .addColumn('revision', 'bigint', (column) => column.notNull().defaultTo(0))
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
        .addColumn('idle_ms', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('ends_at', 'bigint', (column) => column.notNull())
        .addColumn('persistent', 'integer', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.references('guildhall_users.id').onDelete('cascade'))
        .addColumn('credential_epoch', 'bigint')
        .addColumn('factors', 'text')
        .addColumn('authenticated_at', 'bigint')
        .addColumn('ip', 'text')
        .addColumn('user_agent', 'text'),
      db.schema.createIndex('guildhall_sessions_by_user').on('guildhall_sessions').column('user_id'),
      db.schema.createIndex('guildhall_sessions_by_expiry').on('guildhall_sessions').column('expires_at'),
      db.schema
        .createTable('guildhall_counters')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull()),
      db.schema.createIndex('guildhall_counters_by_expiry').on('guildhall_counters').column('expires_at'),
      db.schema
        .createTable('guildhall_audit')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('event', 'text', (column) => column.notNull())
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.references('guildhall_users.id').onDelete('set null'))
        .addColumn('actor_id', 'text', (column) => column.references('guildhall_users.id').onDelete('set null'))
        .addColumn('ip', 'text')
        .addColumn('user_agent', 'text')
        .addColumn('data', 'text')
        .addColumn('quiet', 'integer', (column) => column.notNull()),
      db.schema.createIndex('guildhall_audit_by_user').on('guildhall_audit').columns(['user_id', 'at']),
      db.schema.createIndex('guildhall_audit_by_time').on('guildhall_audit').column('at'),
      db.schema
        .createTable('guildhall_leases')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('holder', 'text', (column) => column.notNull())
        .addColumn('until', 'bigint', (column) => column.notNull()),
    ],
  },
]
