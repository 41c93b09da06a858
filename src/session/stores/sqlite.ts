// Sessions in a SQLite file: one statement per verb, and an exact copy of recent rows in memory.
import '../../domain/node-version.cts'

import { acquireLease, createLeases } from '../../database/lease.ts'
import { retryBlocking } from '../../database/sqlite/busy.ts'
import { SqliteConnection } from '../../database/sqlite/connection.ts'
import type { SqlValue } from '../../database/transaction.ts'
import { type Awaitable, after, isPromise } from '../../domain/awaitable.ts'
import { BoundedCache } from '../../domain/bounded-cache.ts'
import { newId } from '../../domain/secret.ts'
import { MAX_LISTED } from '../row.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore, UpdateOptions } from '../store.ts'
import { columnDefinitions, otherTable, SESSION_COLUMNS, sessionFrom, valuesOf } from './columns.ts'

export { StoreBusyError } from '../../database/sqlite/busy.ts'
export { SqliteConnection } from '../../database/sqlite/connection.ts'
export { UnexpectedRowCountError } from '../../database/transaction.ts'

export type SqliteStoreOptions =
  /** A separate file, created if it is missing, with the table `express_sessions`. */
  | { readonly path: string }
  /** A table with the same columns, and one of leases, which the owner of the connection made. */
  | {
      readonly connection: SqliteConnection
      readonly table: string
      /** The name of the table of leases. Default: the other's with `_leases`. */
      readonly leases?: string | undefined
      /** Reads the row of a hash: SESSION_COLUMNS, then the columns for `complete`. Changes of its tables are noticed too. */
      readonly find?: string | undefined
    }

const OWN_TABLE = 'express_sessions'
/** The lease of the process that deletes expired sessions. */
const CLEANUP = 'sessions'
const MAX_COPIES = 10_000

export class SqliteStore<Row extends SessionRow = SessionRow> implements SessionStore<Row> {
  readonly #connection: SqliteConnection
  readonly #ownsConnection: boolean
  /** Identifies this process in the cleanup lease. */
  readonly #worker = newId()
  readonly #sql: ReturnType<typeof statements>
  /** An exact copy: emptied after a write to any table that `find` reads, except our own writes to known sessions. */
  readonly #copies = new BoundedCache<Row>(MAX_COPIES)
  #copiedAt = -1

  constructor(options: SqliteStoreOptions) {
    this.#ownsConnection = 'path' in options
    const own = (path: string) => ({ connection: openTable(path), table: OWN_TABLE, leases: undefined, find: undefined })
    const { connection, table, leases, find } = 'path' in options ? own(options.path) : options
    if (!/^\w+$/.test(table)) throw new TypeError(`SqliteStore: the table must be a plain name, got ${table}`)
    this.#connection = connection
    const sql = statements(table, leases ?? `${table}_leases`)
    this.#sql = find === undefined ? sql : { ...sql, find }
  }

  /** For subclasses: a row with the values that their statement reads beyond SESSION_COLUMNS. */
  protected complete(row: SessionRow, _more: readonly SqlValue[]): Row {
    // Row is SessionRow unless a subclass overrides this.
    return row as Row
  }

  /** Without waiting for the disk, on which all requests would wait: a login that a power cut loses is done again. */
  create(row: SessionRow): Awaitable<void> {
    return this.#write(row.hash, () => void this.#connection.run(this.#sql.create, valuesOf(row)))
  }

  find(hash: string): Awaitable<Row | undefined> {
    this.#forgetIfChanged()
    const copy = this.#copies.get(hash)
    if (copy) return copy
    const found = this.#connection.retrying(() => this.#read(hash))
    if (found === undefined || isPromise(found)) return found
    this.#copies.set(hash, Object.freeze(found))
    return found
  }

  update(hash: string, patch: SessionPatch, { ifRevision }: UpdateOptions = {}): Awaitable<boolean> {
    const text = JSON.stringify(patch)
    return this.#write(hash, () =>
      ifRevision === undefined
        ? this.#changes(this.#sql.update, [text, hash])
        : this.#changes(this.#sql.updateIf, [text, hash, ifRevision]),
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

  delete(hashes: readonly string[]): Awaitable<readonly string[]> {
    return this.#deleteMany(this.#sql.delete, [JSON.stringify(hashes)], { durable: true })
  }

  listByUser(userId: string): Awaitable<readonly SessionRow[]> {
    return this.#connection.retrying(() => this.#connection.allValues(this.#sql.listByUser, [userId]).map(sessionFrom))
  }

  deleteByUser(userId: string, options: { readonly except?: string | undefined } = {}): Awaitable<number> {
    const deleted = this.#deleteMany(this.#sql.deleteByUser, [userId, options.except ?? ''], { durable: true })
    return after(deleted, (hashes) => hashes.length)
  }

  deleteExpired(now: number, limit: number): Awaitable<number> {
    return after(this.#deleteMany(this.#sql.deleteExpired, [now, limit]), (hashes) => hashes.length)
  }

  list(now: number, limit: number): Awaitable<readonly SessionRow[]> {
    return this.#connection.retrying(() => this.#connection.allValues(this.#sql.list, [now, limit]).map(sessionFrom))
  }

  count(now: number): Awaitable<number> {
    return this.#connection.retrying(() => Number(this.#connection.values(this.#sql.count, [now])?.[0]))
  }

  clear(): Awaitable<void> {
    return this.#connection.retrying(() => void this.#connection.run(this.#sql.clear, [], { durable: true }))
  }

  acquireCleanupLease(now: number, until: number): Awaitable<boolean> {
    return this.#connection.retrying(
      () => this.#connection.run(this.#sql.acquireLease, [CLEANUP, this.#worker, until, now]).changes > 0,
    )
  }

  close(): void {
    if (this.#ownsConnection) this.#connection.close()
  }

  #changes(sql: string, params: SqlValue[], options?: { readonly durable?: boolean }): boolean {
    return this.#connection.run(sql, params, options).changes > 0
  }

  #read(hash: string): Row | undefined {
    const values = this.#connection.values(this.#sql.find, [hash])
    return values && this.complete(sessionFrom(values), values.slice(SESSION_COLUMNS.length))
  }

  #write<T>(hash: string, work: () => T): Awaitable<T> {
    return this.#connection.retrying(() => this.#dropping(work, () => [hash]))
  }

  #deleteMany(sql: string, params: SqlValue[], options?: { readonly durable?: boolean }): Awaitable<readonly string[]> {
    const work = () => this.#connection.allValues(sql, params, options).map(([hash]) => String(hash))
    return this.#connection.retrying(() => this.#dropping(work, (hashes) => hashes))
  }

  /** Runs a statement that changes known sessions alone: drops their copies in the same tick, and keeps the others. */
  #dropping<T>(work: () => T, concerned: (done: T) => readonly string[]): T {
    this.#forgetIfChanged()
    const done = work()
    for (const hash of concerned(done)) this.#copies.delete(hash)
    // Our write counts one. If a trigger wrote too, the count is higher, and all copies are dropped.
    if (this.#connection.versionSeen(this.#sql.find) === this.#copiedAt + 1) this.#copiedAt++
    return done
  }

  #forgetIfChanged(): void {
    if (this.#connection.version(this.#sql.find) === this.#copiedAt) return
    this.#copies.clear()
    this.#copiedAt = this.#connection.versionSeen(this.#sql.find)
  }
}

function statements(table: string, leases: string) {
  const columns = SESSION_COLUMNS.join(', ')
  const update = `UPDATE ${table} SET data = json_patch(data, ?), revision = revision + 1 WHERE hash = ? AND idle_ms > 0`
  return {
    create: `INSERT INTO ${table} (${columns}) VALUES (${SESSION_COLUMNS.map(() => '?').join(', ')})`,
    find: `SELECT ${columns} FROM ${table} WHERE hash = ?`,
    update,
    updateIf: `${update} AND revision = ?`,
    touch: `UPDATE ${table} SET last_seen_at = max(last_seen_at, ?), expires_at = max(expires_at, ?) WHERE hash = ? AND idle_ms > 0`,
    touchLimits: `UPDATE ${table} SET last_seen_at = max(last_seen_at, ?), expires_at = ?, idle_ms = ?, ends_at = ?, persistent = ?
      WHERE hash = ? AND idle_ms > 0`,
    supersede: `UPDATE ${table} SET idle_ms = 0, expires_at = min(expires_at, ?), ends_at = min(expires_at, ?) WHERE hash = ? AND idle_ms > 0`,
    delete: `DELETE FROM ${table} WHERE hash IN (SELECT value FROM json_each(?)) RETURNING hash`,
    listByUser: `SELECT ${columns} FROM ${table} WHERE user_id = ? ORDER BY last_seen_at DESC, created_at DESC, rowid DESC LIMIT ${MAX_LISTED}`,
    deleteByUser: `DELETE FROM ${table} WHERE user_id = ? AND hash <> ? RETURNING hash`,
    list: `SELECT ${columns} FROM ${table} WHERE expires_at > ? LIMIT ?`,
    count: `SELECT count(*) FROM ${table} WHERE expires_at > ?`,
    clear: `DELETE FROM ${table}`,
    acquireLease: acquireLease(leases, 'sqlite'),
    deleteExpired: `DELETE FROM ${table} WHERE hash IN (SELECT hash FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
      RETURNING hash`,
  }
}

/** Creates only what is missing, under an immediate lock: two processes may start at once. Another table of that name is left alone. */
function openTable(path: string): SqliteConnection {
  const connection = new SqliteConnection(path, { walLater: true })
  const table = OWN_TABLE
  const columns = retryBlocking(() => connection.allValues(`SELECT name FROM pragma_table_info('${table}')`).flat())
  const missing = SESSION_COLUMNS.filter((column) => !columns.includes(column))
  if (columns.length > 0 && missing.length > 0) {
    connection.close()
    const isOurs = columns.includes('hash') && columns.includes('public_id')
    const foreign = `the table ${table} is of another program, without ${missing.join(', ')}: name another file`
    throw new Error(`SqliteStore: in ${path} ${isOurs ? otherTable(table) : foreign}`)
  }
  connection.useWal()
  const made = [
    `CREATE TABLE IF NOT EXISTS ${table} (${columnDefinitions('INTEGER')}) STRICT`,
    createLeases(`${table}_leases`),
    `CREATE INDEX IF NOT EXISTS ${table}_user_id ON ${table} (user_id)`,
    `CREATE INDEX IF NOT EXISTS ${table}_expires_at ON ${table} (expires_at)`,
  ]
  retryBlocking(() => connection.transaction(made.map((sql) => ({ sql, params: [] }))))
  return connection
}
