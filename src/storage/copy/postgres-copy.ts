// A PostgreSQL database as source or target of a copy.
import { type OwnConnection, openConnection } from '../../database/postgres/connection.ts'
import { asUnavailable, TYPES } from '../../database/postgres/query.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { BATCH, type CopyDatabase, CopyRefusedError, type Row, TABLE_NAMES } from './copy-database.ts'

/** The advisory lock: one copy at a time into a schema, and none into its own source. */
const LOCK_KEY = "hashtext('guildhall copy ' || coalesce(current_schema(), ''))"
/** Locked before the first read, so that the snapshot contains every write. */
const LOCK_SOURCE = `SET lock_timeout = 5000; BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE ${TABLE_NAMES.join(', ')} IN SHARE MODE;
  SET LOCAL idle_in_transaction_session_timeout = 0`

/** Nobody else can write until it is closed: the copy fails if a site still runs. */
export function openPostgresSource(url: string): Promise<CopyDatabase> {
  return opened(url, 'pg_try_advisory_lock_shared', LOCK_SOURCE)
}

export function openPostgresTarget(url: string): Promise<CopyDatabase> {
  // The checkpoint at the end waits for the disk, and so for everything before it.
  return opened(url, 'pg_try_advisory_lock', 'SET synchronous_commit = off')
}

async function opened(url: string, lock: string, prepare: string): Promise<CopyDatabase> {
  const connection = await openConnection(url).catch((error: unknown) => {
    throw asUnavailable(error)
  })
  const database = new PostgresCopy(connection)
  try {
    await database.query('SET statement_timeout = 0')
    const [row] = await database.query(`SELECT ${lock}(${LOCK_KEY})::int AS locked`)
    if (row?.locked !== 1) throw new CopyRefusedError('busy')
    await database.query(prepare)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

class PostgresCopy implements CopyDatabase {
  readonly #connection: OwnConnection

  constructor(connection: OwnConnection) {
    this.#connection = connection
  }

  /** Ordered by bytes, as SQLite does: a collation would order ids and hashes otherwise. */
  sortKey(name: TableName): string {
    return `${TABLE_KEYS[name]} COLLATE "C"`
  }

  async query(sql: string, ...values: readonly (string | number | null)[]): Promise<readonly Row[]> {
    let at = 0
    try {
      const text = sql.replace(/\?/g, () => `$${++at}`)
      // Several statements in one call take no values, and return a result each.
      const result = await this.#connection.query({
        text,
        types: TYPES,
        ...(values.length > 0 && { values: [...values] }),
      })
      return (result.rows ?? []).filter(isRow)
    } catch (error) {
      throw asUnavailable(error)
    }
  }

  /** A cursor sorts the rows once, not once for each batch. */
  async *sorted(table: TableName, after: string): AsyncGenerator<readonly Row[]> {
    const key = this.sortKey(table)
    await this.query(`DECLARE copied NO SCROLL CURSOR FOR SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key}`, after)
    const next = () => this.query(`FETCH ${BATCH} FROM copied`)
    for (let rows = await next(); rows.length > 0; rows = await next()) yield rows
    await this.query('CLOSE copied')
  }

  /** All rows as one value: a statement takes at most 65535. */
  async insert(table: TableName, rows: readonly Row[]): Promise<void> {
    refuseNull(table, rows)
    const columns = Object.keys(rows[0] ?? {}).join(', ')
    const select = `SELECT ${columns} FROM json_populate_recordset(NULL::${table}, ?)`
    await this.query(`INSERT INTO ${table} (${columns}) ${select}`, JSON.stringify(rows))
  }

  async writeCheckpoint(copying: string | undefined): Promise<void> {
    await this.query('SET synchronous_commit = on')
    await this.query('UPDATE guildhall_schema SET copying = ?', copying ?? null)
    await this.query('SET synchronous_commit = off')
  }

  async close(): Promise<void> {
    await this.#connection.end().catch(() => {})
  }
}

function isRow(row: unknown): row is Row {
  return typeof row === 'object' && row !== null
}

/** PostgreSQL's text has no null character, and a replacement would be another text. */
function refuseNull(table: TableName, rows: readonly Row[]): void {
  for (const row of rows)
    for (const [column, value] of Object.entries(row))
      if (typeof value === 'string' && value.includes('\0'))
        throw new CopyRefusedError('null', { table, key: String(row[TABLE_KEYS[table]]), column })
}
