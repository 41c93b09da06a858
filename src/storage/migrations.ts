// The schema's history: numbered, never edited once released. Each is a list of statements, compiled for the database at hand.
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
    title: 'users, passwords, sessions, counters, audit',
    statements: (db) => [
      db.schema
        .createTable('users')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('username', 'text', (column) => column.notNull())
        .addColumn('username_key', 'text', (column) => column.notNull().unique())
        .addColumn('display_name', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('credential_epoch', 'bigint', (column) => column.notNull())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull()),
      db.schema
        .createTable('credentials')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('changed_at', 'bigint', (column) => column.notNull()),
      db.schema
        .createIndex('credentials_one_password')
        .unique()
        .on('credentials')
        .column('user_id')
        .where(sql.ref('kind'), '=', sql.lit('password')),
      db.schema
        .createTable('sessions')
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
        .addColumn('user_id', 'text', (column) => column.references('users.id').onDelete('cascade'))
        .addColumn('credential_epoch', 'bigint')
        .addColumn('factors', 'text')
        .addColumn('authenticated_at', 'bigint')
        .addColumn('ip', 'text')
        .addColumn('user_agent', 'text'),
      db.schema.createIndex('sessions_by_user').on('sessions').column('user_id'),
      db.schema.createIndex('sessions_by_expiry').on('sessions').column('expires_at'),
      db.schema
        .createTable('counters')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull()),
      db.schema.createIndex('counters_by_expiry').on('counters').column('expires_at'),
      db.schema
        .createTable('audit')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('event', 'text', (column) => column.notNull())
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.references('users.id').onDelete('cascade'))
        .addColumn('ip', 'text')
        .addColumn('user_agent', 'text'),
      db.schema.createIndex('audit_by_user').on('audit').columns(['user_id', 'at']),
      db.schema.createIndex('audit_by_time').on('audit').column('at'),
    ],
  },
  {
    number: 2,
    title: 'the language that a user chose',
    statements: (db) => [db.schema.alterTable('users').addColumn('locale', 'text')],
  },
  {
    number: 3,
    title: 'which process sweeps',
    statements: (db) => [
      db.schema
        .createTable('sessions_sweep')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('worker', 'text', (column) => column.notNull())
        .addColumn('until', 'bigint', (column) => column.notNull()),
    ],
  },
]

export const SCHEMA_VERSION = migrations.length

/** The database has another schema than this program. */
export class OtherSchema extends Error {
  override readonly name = 'OtherSchema'
  readonly code: 'schema_older' | 'schema_newer'
  /** The number of the last migration that it has had; 0 where it had none. */
  readonly version: number

  constructor(version: number) {
    const isOlder = version < SCHEMA_VERSION
    super(
      isOlder
        ? 'the database is not migrated: run `guildhall migrate`, or await membership.migrate()'
        : `the database has schema ${version}, this program knows ${SCHEMA_VERSION}: start the newer program, or restore the backup from before the upgrade`,
    )
    this.code = isOlder ? 'schema_older' : 'schema_newer'
    this.version = version
  }
}
