// Sessions in PostgreSQL: one statement per verb, for any number of processes on one table.
import '../../domain/node-version.cts'

import { BatchLoader } from '../../database/batch-loader.ts'
import { acquireLease, createLeases } from '../../database/lease.ts'
import { arrayOf, codeOf, type PostgresPool, runOn, type Values, withAsynchronousCommit } from '../../database/postgres/query.ts'
import { StoreUnavailableError } from '../../database/timeout.ts'
import { newId } from '../../domain/secret.ts'
import { patchData } from '../data.ts'
import { MAX_LISTED } from '../row.ts'
import type { SessionPatch, SessionRow, SessionSeen, SessionStore, UpdateOptions } from '../store.ts'
import { columnDefinitions, otherTable, SESSION_COLUMNS, sessionFrom, valuesOf } from './columns.ts'

export type { PostgresPool } from '../../database/postgres/query.ts'
export { StoreUnavailableError } from '../../database/timeout.ts'

/** A null character or an unpaired surrogate in a key: valid in JSON, not in jsonb. */
const NO_JSONB = new Set(['22021', '22P02', '22P05'])
const MAX_TRIES = 100
/** The lease of the process that deletes expired sessions. */
const CLEANUP = 'sessions'

export interface PostgresStoreOptions {
  /** A pool of the pg package, which you made and close: `new pg.Pool({ connectionString })`. */
  readonly pool: PostgresPool
  /** The name of the table. Default: `express_sessions`. `migrate()` makes it, and beside it one of leases. */
  readonly table?: string | undefined
  /** The name of the table of leases. Default: the other's with `_leases`. */
  readonly leases?: string | undefined
  /** For subclasses: reads the rows of an array of hashes: SESSION_COLUMNS, then the columns for `complete`. Default: the columns alone. */
  readonly find?: string | undefined
}

/**
 * Keeps sessions in a table. Works behind pgbouncer in transaction mode: nothing is prepared by name, nothing is kept in the connection.
 *
 * @example
 * const store = new PostgresStore({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) })
 * await store.migrate()
 * app.use(session({ store }))
 */
export class PostgresStore<Row extends SessionRow = SessionRow> implements SessionStore<Row> {
  readonly #pool: PostgresPool
  readonly #sql: ReturnType<typeof statements>
  readonly #found = new BatchLoader<Row>((hashes) => this.#read(hashes))
  /** Identifies this process in the cleanup lease. */
  readonly #worker = newId()

  constructor({ pool, table = 'express_sessions', leases = `${table}_leases`, find }: PostgresStoreOptions) {
    if (typeof pool?.query !== 'function') throw new TypeError('PostgresStore: pool must be a Pool of the pg package')
    if (!/^\w+$/.test(table)) throw new TypeError(`PostgresStore: the table must be a plain name, got ${table}`)
    if (!/^\w+$/.test(leases)) throw new TypeError(`PostgresStore: the table of leases must be a plain name, got ${leases}`)
    this.#pool = pool
    const sql = statements(table, leases)
    this.#sql = find === undefined ? sql : { ...sql, find }
  }

  /** Creates the table if it is missing. Two processes may call it at once. A role without the right to create tables needs it done before. */
  async migrate(): Promise<void> {
    await this.#run(this.#sql.migrate)
  }

  /** For subclasses: a row with the values that their statement reads beyond SESSION_COLUMNS. */
  protected complete(row: SessionRow, _more: readonly unknown[]): Row {
    // Row is SessionRow unless a subclass overrides this.
    return row as Row
  }

  async create(row: SessionRow): Promise<void> {
    await this.#run(this.#sql.create, valuesOf(row))
  }

  find(hash: string): Promise<Row | undefined> {
    return this.#found.find(hash)
  }

  async update(hash: string, patch: SessionPatch, { ifRevision }: UpdateOptions = {}): Promise<boolean> {
    const removed = Object.keys(patch).filter((key) => patch[key] === null)
    const written = JSON.stringify(Object.fromEntries(Object.entries(patch).filter(([, text]) => text !== null)))
    try {
      return await this.#changes(this.#sql.update, [hash, written, removed, ifRevision ?? null])
    } catch (error) {
      if (!NO_JSONB.has(codeOf(error))) throw error
      return this.#updateHere(hash, patch, ifRevision)
    }
  }

  touch(hash: string, { lastSeenAt, expiresAt, limits }: SessionSeen): Promise<boolean> {
    if (limits === undefined) return this.#changes(this.#sql.touch, [hash, lastSeenAt, expiresAt])
    const { idleMs, endsAt, persistent } = limits
    return this.#changes(this.#sql.touchLimits, [hash, lastSeenAt, expiresAt, idleMs, endsAt, persistent ? 1 : 0])
  }

  supersede(hash: string, until: number): Promise<boolean> {
    return this.#changes(this.#sql.supersede, [hash, until])
  }

  async delete(hashes: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.#run(this.#sql.delete, [arrayOf(hashes)])
    return rows.map(([hash]) => String(hash))
  }

  async listByUser(userId: string): Promise<readonly SessionRow[]> {
    const { rows } = await this.#run(this.#sql.listByUser, [userId])
    return rows.map(sessionFrom)
  }

  async deleteByUser(userId: string, { except = '' }: { readonly except?: string | undefined } = {}): Promise<number> {
    return (await this.#run(this.#sql.deleteByUser, [userId, except])).rowCount
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    return (await this.#run(this.#sql.deleteExpired, [now, limit])).rowCount
  }

  acquireCleanupLease(now: number, until: number): Promise<boolean> {
    return this.#changes(this.#sql.acquireLease, [CLEANUP, this.#worker, until, now])
  }

  async list(now: number, limit: number): Promise<readonly SessionRow[]> {
    const { rows } = await this.#run(this.#sql.list, [now, limit])
    return rows.map(sessionFrom)
  }

  async count(now: number): Promise<number> {
    const { rows } = await this.#run(this.#sql.count, [now])
    return Number(rows[0]?.[0])
  }

  async clear(): Promise<void> {
    await this.#run(this.#sql.clear)
  }

  /** The pool's owner closes it. */
  close(): void {}

  async #read(hashes: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    const { rows } = await this.#run(this.#sql.find, [arrayOf(hashes)])
    const found = rows.map((values) => this.complete(sessionFrom(values), values.slice(SESSION_COLUMNS.length)))
    return new Map(found.map((row) => [row.hash, row]))
  }

  /** For keys that jsonb cannot hold: merged in this process, and written only if nobody else has written meanwhile. */
  async #updateHere(hash: string, patch: SessionPatch, ifRevision: number | undefined): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { rows } = await this.#run(this.#sql.data, [hash])
      if (rows[0] === undefined) return false
      const [data, revision] = [String(rows[0][0]), Number(rows[0][1])]
      if (ifRevision !== undefined && revision !== ifRevision) return false
      if (await this.#changes(this.#sql.replace, [hash, patchData(data, patch), revision])) return true
    }
    throw new StoreUnavailableError(`${MAX_TRIES} times somebody else was faster`)
  }

  async #changes(sql: string, values: unknown[]): Promise<boolean> {
    return (await this.#run(sql, values)).rowCount > 0
  }

  #run(sql: string, values: unknown[] = []): Promise<Values> {
    return runOn(this.#pool, sql, values)
  }
}

function statements(table: string, leases: string) {
  const columns = SESSION_COLUMNS.join(', ')
  const lives = 'WHERE hash = $1 AND idle_ms > 0'
  return {
    // Two processes that start at once would both make it, and one would fail: the lock is for the length of the block.
    // In the current schema alone: a table of the same name further down the search path is another site's.
    migrate: `DO $$ DECLARE made regclass; BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('guildhall ${table}'));
      made := to_regclass(quote_ident(current_schema()) || '.${table}');
      IF made IS NULL THEN
        CREATE TABLE ${table} (${columnDefinitions('bigint')});
        CREATE INDEX ${table}_user_id ON ${table} (user_id);
        CREATE INDEX ${table}_expires_at ON ${table} (expires_at);
        ${createLeases(leases)};
      ELSIF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = made AND attname = 'revision' AND NOT attisdropped) THEN
        RAISE EXCEPTION 'PostgresStore: ${otherTable(table)}';
      END IF;
    END $$`,
    create: `INSERT INTO ${table} (${columns}) VALUES (${SESSION_COLUMNS.map((_, at) => `$${at + 1}`).join(', ')})`,
    find: `SELECT ${columns} FROM ${table} WHERE hash = ANY($1::text[])`,
    update: withAsynchronousCommit(
      `UPDATE ${table} SET data = ((data::jsonb || $2::jsonb) - $3::text[])::text, revision = revision + 1
      ${lives} AND ($4::bigint IS NULL OR revision = $4)`,
    ),
    data: `SELECT data, revision FROM ${table} ${lives}`,
    replace: withAsynchronousCommit(`UPDATE ${table} SET data = $2, revision = revision + 1 ${lives} AND revision = $3`),
    touch: withAsynchronousCommit(
      `UPDATE ${table} SET last_seen_at = greatest(last_seen_at, $2::bigint), expires_at = greatest(expires_at, $3::bigint) ${lives}`,
    ),
    touchLimits:
      withAsynchronousCommit(`UPDATE ${table} SET last_seen_at = greatest(last_seen_at, $2::bigint), expires_at = $3, idle_ms = $4, ends_at = $5,
      persistent = $6 ${lives}`),
    supersede: `UPDATE ${table} SET idle_ms = 0, expires_at = least(expires_at, $2::bigint), ends_at = least(expires_at, $2::bigint) ${lives}`,
    delete: `DELETE FROM ${table} WHERE hash = ANY($1::text[]) RETURNING hash`,
    listByUser: `SELECT ${columns} FROM ${table} WHERE user_id = $1 ORDER BY last_seen_at DESC, created_at DESC LIMIT ${MAX_LISTED}`,
    deleteByUser: `DELETE FROM ${table} WHERE user_id = $1 AND hash <> $2`,
    list: `SELECT ${columns} FROM ${table} WHERE expires_at > $1 LIMIT $2`,
    count: `SELECT count(*) FROM ${table} WHERE expires_at > $1`,
    clear: `DELETE FROM ${table}`,
    acquireLease: acquireLease(leases, 'postgres'),
    deleteExpired: `DELETE FROM ${table} WHERE hash IN (SELECT hash FROM ${table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
      FOR UPDATE SKIP LOCKED)`,
  }
}
