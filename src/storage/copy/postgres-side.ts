// A database in PostgreSQL that is copied, or copied to.
import { type OwnConnection, openConnection } from '../../database/postgres/connection.ts'
import { asUnavailable, TYPES } from '../../database/postgres/query.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { BATCH, CopyRefusedError, type Row, type Side, TABLE_NAMES } from './side.ts'

/** One copy at a time to one place, and none to its own source. */
const PLACE = "hashtext('guildhall copy ' || coalesce(current_schema(), ''))"
/** Locked before the first read, so that the snapshot contains every write. */
const LOCK_SOURCE = `SET lock_timeout = 5000; BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE ${TABLE_NAMES.join(', ')} IN SHARE MODE;
  SET LOCAL idle_in_transaction_session_timeout = 0`

/** Nobody else can write until it is closed: the copy fails if a site still runs. */
export function openPostgresSource(url: string): Promise<Side> {
  return opened(url, 'pg_try_advisory_lock_shared', LOCK_SOURCE)
}

export function openPostgresTarget(url: string): Promise<Side> {
  // The checkpoint at the end waits for the disk, and so for everything before it.
  return opened(url, 'pg_try_advisory_lock', 'SET synchronous_commit = off')
}

async function opened(url: string, lock: string, prepare: string): Promise<Side> {
  const connection = await openConnection(url).catch((error: unknown) => {
    throw asUnavailable(error)
  })
  const side = new PostgresSide(connection)
  try {
    await side.ask('SET statement_timeout = 0')
    const [row] = await side.ask(`SELECT ${lock}(${PLACE})::int AS locked`)
    if (row?.locked !== 1) throw new CopyRefusedError('busy')
    await side.ask(prepare)
    return side
  } catch (error) {
    await side.close()
    throw error
  }
}

class PostgresSide implements Side {
  readonly #connection: OwnConnection

  constructor(connection: OwnConnection) {
    this.#connection = connection
  }

  /** Ordered by bytes, as SQLite does: a collation would order ids and hashes otherwise. */
  sortKey(name: TableName): string {
    return `${TABLE_KEYS[name]} COLLATE "C"`
  }

  async ask(sql: string, ...values: readonly (string | number | null)[]): Promise<readonly Row[]> {
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
    await this.ask(`DECLARE copied NO SCROLL CURSOR FOR SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key}`, after)
    const next = () => this.ask(`FETCH ${BATCH} FROM copied`)
    for (let rows = await next(); rows.length > 0; rows = await next()) yield rows
    await this.ask('CLOSE copied')
  }

  /** All rows as one value: a statement takes at most 65535. */
  async insert(table: TableName, rows: readonly Row[]): Promise<void> {
    refuseNull(table, rows)
    const columns = Object.keys(rows[0] ?? {}).join(', ')
    const select = `SELECT ${columns} FROM json_populate_recordset(NULL::${table}, ?)`
    await this.ask(`INSERT INTO ${table} (${columns}) ${select}`, JSON.stringify(rows))
  }

  async writeCheckpoint(copying: string | undefined): Promise<void> {
    await this.ask('SET synchronous_commit = on')
    await this.ask('UPDATE guildhall_schema SET copying = ?', copying ?? null)
    await this.ask('SET synchronous_commit = off')
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
