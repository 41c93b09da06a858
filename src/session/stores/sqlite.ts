// Sessions in a SQLite file: one statement per verb, and an exact copy of recent rows in this process.

import { acquireLease, createLeases } from '../../database/lease.ts'
import { retryBlocking } from '../../database/sqlite/busy.ts'
import { SqliteConnection } from '../../database/sqlite/connection.ts'
import type { SqlValue } from '../../database/transaction.ts'
import { type Awaitable, isPromise } from '../../domain/awaitable.ts'
import { BoundedCache } from '../../domain/bounded-cache.ts'
import { newId } from '../../domain/secret.ts'
import { MOST_LISTED, type SessionPatch, type SessionRow, type SessionSeen, type SessionStore } from '../store.ts'
import { SESSION_COLUMNS, sessionFrom, valuesOf } from './columns.ts'

export { StoreBusyError } from '../../database/sqlite/busy.ts'
export { SqliteConnection } from '../../database/sqlite/connection.ts'
export { UnexpectedRowCountError } from '../../database/transaction.ts'

export type SqliteStoreOptions =
  /** A file of its own, made where it is missing, with the table `express_sessions`. */
  | { readonly path: string }
  /** A table with the same columns, and one of leases, that somebody else made, over a connection that somebody else closes. */
  | { readonly connection: SqliteConnection; readonly table: string; readonly leases?: string }

const OWN_TABLE = 'express_sessions'
/** The lease of the process that deletes expired sessions. */
const CLEANUP = 'sessions'
const COPIES = 10_000

export class SqliteStore<Row extends SessionRow = SessionRow> implements SessionStore<Row> {
  protected readonly connection: SqliteConnection
  protected readonly table: string
  readonly #ownsConnection: boolean
  /** Who this is among the processes that sweep. */
  readonly #worker = newId()
  readonly #sql: ReturnType<typeof statements>
  /** An exact copy: emptied when something has written to a table that `findSql` reads, but for our own writes to known sessions. */
  readonly #copies = new BoundedCache<Row>(COPIES)
  #copiedAt = -1

  constructor(options: SqliteStoreOptions) {
    this.#ownsConnection = 'path' in options
    this.connection = 'path' in options ? new SqliteConnection(options.path) : options.connection
    this.table = 'path' in options ? OWN_TABLE : options.table
    if (!/^\w+$/.test(this.table)) throw new TypeError(`SqliteStore: the table must be a plain name, got ${this.table}`)
    const leases = 'path' in options ? undefined : options.leases
    this.#sql = statements(this.table, leases ?? `${this.table}_leases`)
    if ('path' in options) createTable(this.connection, this.table)
  }

  /** The statement that reads the row of a hash. A subclass may read more along with it: its tables are watched, too. */
  protected get findSql(): string {
    return this.#sql.find
  }

  /** The row from the values that `findSql` reads. */
  protected rowFrom(values: readonly SqlValue[]): Row {
    // Without a subclass that says otherwise, Row is SessionRow.
    return sessionFrom(values) as Row
  }

  create(row: SessionRow): Awaitable<void> {
    const options = { durable: row.userId !== undefined }
    return this.#write(row.hash, () => void this.connection.run(this.#sql.create, valuesOf(row), options))
  }

  find(hash: string): Awaitable<Row | undefined> {
    this.#forgetIfChanged()
    const copy = this.#copies.get(hash)
    if (copy) return copy
    const found = this.connection.retrying(() => this.#read(hash))
    if (found === undefined || isPromise(found)) return found
    this.#copies.set(hash, Object.freeze(found))
    return found
  }

  update(hash: string, patch: SessionPatch, options: { readonly unchangedFrom?: string | undefined } = {}): Awaitable<boolean> {
    const { unchangedFrom } = options
    const text = JSON.stringify(patch)
    return this.#write(hash, () =>
      unchangedFrom === undefined
        ? this.#changes(this.#sql.update, [text, hash])
        : this.#changes(this.#sql.updateUnchanged, [text, hash, unchangedFrom]),
    )
  }

  touch(hash: string, { lastSeenAt, expiresAt, limits }: SessionSeen): Awaitable<boolean> {
    if (limits === undefined) return this.#write(hash, () => this.#changes(this.#sql.touch, [lastSeenAt, expiresAt, hash]))
    const { idleMs, endsAt, persistent } = limits
    const params = [lastSeenAt, expiresAt, idleMs, endsAt, persistent ? 1 : 0, hash]
    return this.#write(hash, () => this.#changes(this.#sql.touchLimits, params))
  }

  supersede(hash: string, until: number): Awaitable<boolean> {
    return this.#write(hash, () => this.#changes(this.#sql.supersede, [until, until, hash], { durable: true }))
  }

  delete(hash: string): Awaitable<boolean> {
    return this.#write(hash, () => this.#changes(this.#sql.delete, [hash], { durable: true }))
  }

  listByUser(userId: string): Awaitable<readonly SessionRow[]> {
    return this.connection.retrying(() => this.connection.allValues(this.#sql.listByUser, [userId]).map(sessionFrom))
  }

  deleteByUser(userId: string, options: { readonly except?: string | undefined } = {}): Awaitable<number> {
    return this.#deleteMany(this.#sql.deleteByUser, [userId, options.except ?? ''], { durable: true })
  }

  deleteExpired(now: number, limit: number): Awaitable<number> {
    return this.#deleteMany(this.#sql.deleteExpired, [now, limit])
  }

  all(now: number, limit: number): Awaitable<readonly SessionRow[]> {
    return this.connection.retrying(() => this.connection.allValues(this.#sql.all, [now, limit]).map(sessionFrom))
  }

  count(now: number): Awaitable<number> {
    return this.connection.retrying(() => Number(this.connection.values(this.#sql.count, [now])?.[0]))
  }

  clear(): Awaitable<void> {
    return this.connection.retrying(() => void this.connection.run(this.#sql.clear, [], { durable: true }))
  }

  acquireCleanupLease(now: number, until: number): Awaitable<boolean> {
    return this.connection.retrying(
      () => this.connection.run(this.#sql.acquireLease, [CLEANUP, this.#worker, until, now]).changes > 0,
    )
  }

  close(): void {
    if (this.#ownsConnection) this.connection.close()
  }

  #changes(sql: string, params: SqlValue[], options?: { readonly durable?: boolean }): boolean {
    return this.connection.run(sql, params, options).changes > 0
  }

  #read(hash: string): Row | undefined {
    const values = this.connection.values(this.findSql, [hash])
    return values && this.rowFrom(values)
  }

  #write<T>(hash: string, work: () => T): Awaitable<T> {
    return this.connection.retrying(() => this.#dropping(work, () => [hash]))
  }

  #deleteMany(sql: string, params: SqlValue[], options?: { readonly durable?: boolean }): Awaitable<number> {
    const work = () => this.connection.allValues(sql, params, options).map(([hash]) => String(hash))
    return this.connection.retrying(() => this.#dropping(work, (hashes) => hashes).length)
  }

  /** One statement that changes known sessions alone: drops their copies, in the same tick, and keeps the others. */
  #dropping<T>(work: () => T, concerned: (done: T) => readonly string[]): T {
    this.#forgetIfChanged()
    const done = work()
    for (const hash of concerned(done)) this.#copies.delete(hash)
    // Ours counts one. Where a trigger has changed more, the count is higher, and the copies go.
    if (this.connection.versionSeen(this.findSql) === this.#copiedAt + 1) this.#copiedAt++
    return done
  }

  #forgetIfChanged(): void {
    if (this.connection.version(this.findSql) === this.#copiedAt) return
    this.#copies.clear()
    this.#copiedAt = this.connection.versionSeen(this.findSql)
  }
}

function statements(table: string, leases: string) {
  const columns = SESSION_COLUMNS.join(', ')
  return {
    create: `INSERT INTO ${table} (${columns}) VALUES (${SESSION_COLUMNS.map(() => '?').join(', ')})`,
    find: `SELECT ${columns} FROM ${table} WHERE hash = ?`,
    update: `UPDATE ${table} SET data = json_patch(data, ?) WHERE hash = ? AND idle_ms > 0`,
    updateUnchanged: `UPDATE ${table} SET data = json_patch(data, ?) WHERE hash = ? AND idle_ms > 0 AND data = ?`,
    touch: `UPDATE ${table} SET last_seen_at = max(last_seen_at, ?), expires_at = max(expires_at, ?) WHERE hash = ? AND idle_ms > 0`,
    touchLimits: `UPDATE ${table} SET last_seen_at = max(last_seen_at, ?), expires_at = ?, idle_ms = ?, ends_at = ?, persistent = ?
      WHERE hash = ? AND idle_ms > 0`,
    supersede: `UPDATE ${table} SET idle_ms = 0, expires_at = min(expires_at, ?), ends_at = min(expires_at, ?) WHERE hash = ? AND idle_ms > 0`,
    delete: `DELETE FROM ${table} WHERE hash = ?`,
    listByUser: `SELECT ${columns} FROM ${table} WHERE user_id = ? ORDER BY last_seen_at DESC, rowid DESC LIMIT ${MOST_LISTED}`,
    deleteByUser: `DELETE FROM ${table} WHERE user_id = ? AND hash <> ? RETURNING hash`,
    all: `SELECT ${columns} FROM ${table} WHERE expires_at > ? LIMIT ?`,
    count: `SELECT count(*) FROM ${table} WHERE expires_at > ?`,
    clear: `DELETE FROM ${table}`,
    acquireLease: acquireLease(leases, 'sqlite'),
    deleteExpired: `DELETE FROM ${table} WHERE hash IN (SELECT hash FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
      RETURNING hash`,
  }
}

/** Immediate, and only what is missing: two processes may start at once. */
function createTable(connection: SqliteConnection, table: string): void {
  retryBlocking(() =>
    connection.transaction([
      {
        sql: `CREATE TABLE IF NOT EXISTS ${table} (
          hash TEXT PRIMARY KEY,
          public_id TEXT NOT NULL UNIQUE,
          data TEXT NOT NULL,
          created_at INTEGER NOT NULL,
          last_seen_at INTEGER NOT NULL,
          idle_ms INTEGER NOT NULL,
          expires_at INTEGER NOT NULL,
          ends_at INTEGER NOT NULL,
          persistent INTEGER NOT NULL,
          user_id TEXT,
          credential_epoch INTEGER,
          factors TEXT,
          authenticated_at INTEGER,
          ip TEXT,
          user_agent TEXT
        ) STRICT`,
        params: [],
      },
      { sql: createLeases(`${table}_leases`), params: [] },
      { sql: `CREATE INDEX IF NOT EXISTS ${table}_user_id ON ${table} (user_id)`, params: [] },
      { sql: `CREATE INDEX IF NOT EXISTS ${table}_expires_at ON ${table} (expires_at)`, params: [] },
    ]),
  )
}
