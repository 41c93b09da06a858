// A database in PostgreSQL that is copied, or copied to.
import { type OwnConnection, openConnection } from '../../database/postgres/connection.ts'
import { asUnavailable, TYPES } from '../../database/postgres/query.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { CopyRefusedError } from './refused.ts'
import { BATCH, type Column, isRow, namesOf, type Row, type Side, TABLE_NAMES, type Table } from './side.ts'

/** One copy at a time to one place, and none to its own source. */
const PLACE = "hashtext('guildhall copy ' || coalesce(current_schema(), ''))"
/** Locked before anything is read, so that the snapshot has all that was written. */
const LOCK_SOURCE = `SET lock_timeout = 5000; BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE ${TABLE_NAMES.join(', ')} IN SHARE MODE;
  SET LOCAL idle_in_transaction_session_timeout = 0`

/** Nobody else writes to it until it is closed: a site that still runs refuses to. */
export function openPostgresSource(url: string): Promise<Side> {
  return opened(url, async (side) => {
    const [row] = await side.ask(`SELECT pg_try_advisory_lock_shared(${PLACE})::int`)
    if (row?.[0] !== 1) throw new CopyRefusedError('busy')
    await side.ask(LOCK_SOURCE)
  })
}

export function openPostgresTarget(url: string): Promise<Side> {
  return opened(url, async (side) => {
    const [row] = await side.ask(`SELECT pg_try_advisory_lock(${PLACE})::int`)
    if (row?.[0] !== 1) throw new CopyRefusedError('busy')
    // The checkpoint at the end waits for the disk, and with it everything before.
    await side.ask('SET synchronous_commit = off')
  })
}

async function opened(url: string, prepare: (side: Side) => Promise<void>): Promise<Side> {
  const connection = await openConnection(url).catch((error: unknown) => {
    throw asUnavailable(error)
  })
  const side = new PostgresSide(connection)
  try {
    await side.ask('SET statement_timeout = 0')
    await prepare(side)
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

  /** Ids and hashes mix cases: a language would order them otherwise than SQLite does. */
  sortKey(name: TableName): string {
    return `${TABLE_KEYS[name]} COLLATE "C"`
  }

  async columns(name: TableName): Promise<readonly Column[]> {
    const sql = `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
      WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
    return (await this.ask(sql, name)).map(([column, type]) => ({ name: String(column), type: String(type) }))
  }

  ask(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]> {
    let at = 0
    return this.#run(
      sql.replace(/\?/g, () => `$${++at}`),
      values,
    )
  }

  /** By a cursor: the rows are sorted once, not once for each batch. */
  async *sorted(table: Table, after: string): AsyncGenerator<readonly Row[]> {
    const key = this.sortKey(table.name)
    const select = `SELECT ${namesOf(table)} FROM ${table.name} WHERE ${key} > ? ORDER BY ${key}`
    await this.ask(`DECLARE copied NO SCROLL CURSOR FOR ${select}`, after)
    for (;;) {
      const rows = await this.ask(`FETCH ${BATCH} FROM copied`)
      if (rows.length > 0) yield rows
      if (rows.length < BATCH) break
    }
    await this.ask('CLOSE copied')
  }

  /** A list for each column, whatever the number of rows: a statement takes 65535 values at most. */
  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    refuseNull(table, rows)
    const lists = table.columns.map((_, at) => rows.map((row) => row[at]))
    const places = table.columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')
    await this.#run(`INSERT INTO ${table.name} (${namesOf(table)}) SELECT * FROM unnest(${places})`, lists)
  }

  async writeCheckpoint(copying: string | undefined): Promise<void> {
    await this.ask('SET synchronous_commit = on')
    await this.#run('UPDATE guildhall_schema SET copying = $1', [copying ?? null])
    await this.ask('SET synchronous_commit = off')
  }

  async close(): Promise<void> {
    await this.#connection.end().catch(() => {})
  }

  async #run(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      // Several statements at once take no values.
      const query = { text, rowMode: 'array', types: TYPES, ...(values.length > 0 && { values: [...values] }) } as const
      return ((await this.#connection.query(query)).rows ?? []).filter(isRow)
    } catch (error) {
      throw asUnavailable(error)
    }
  }
}

/** PostgreSQL's text has no null character. Another in its place would be another text. */
function refuseNull(table: Table, rows: readonly Row[]): void {
  for (const row of rows) {
    const at = row.findIndex((value) => typeof value === 'string' && value.includes('\0'))
    if (at < 0) continue
    throw new CopyRefusedError('null', { table: table.name, key: String(row[0]), column: table.columns[at]?.name ?? '' })
  }
}
