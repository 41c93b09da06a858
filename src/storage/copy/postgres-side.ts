// A side of a copy in PostgreSQL: one connection that reads a snapshot, and for a target one that writes.

import { type OwnConnection, openConnection } from '../../database/postgres/connection.ts'
import { asUnavailable, TYPES } from '../../database/postgres/query.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { CopyRefused } from './refused.ts'
import {
  BATCH,
  keyFirst,
  MARK_TABLE,
  namesOf,
  overwriting,
  type Row,
  type Side,
  TABLE_NAMES,
  type Table,
  type Target,
} from './side.ts'

const SNAPSHOT = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0'
/** Ids and hashes mix cases: a language would order them otherwise than SQLite and this program do. */
const BYTES = 'COLLATE "C"'
/** One copy at a time to one place, and none to its own source. */
const LOCK = "hashtext('guildhall copy ' || coalesce(current_schema(), ''))"

/** As the database is now, whatever a site writes to it meanwhile. */
export async function openPostgresSource(url: string): Promise<Side> {
  const reader = await connect(url)
  return opened(reader, async () => {
    const [row] = await ask(reader, `SELECT pg_try_advisory_lock_shared(${LOCK})`)
    if (row?.[0] !== true) throw new CopyRefused('busy')
    await ask(reader, SNAPSHOT)
    return new PostgresSource(reader)
  })
}

export async function openPostgresTarget(url: string): Promise<Target> {
  const writer = await connect(url)
  return opened(writer, async () => {
    const [row] = await ask(writer, `SELECT pg_try_advisory_lock(${LOCK})`)
    if (row?.[0] !== true) throw new CopyRefused('busy')
    // The mark at the end waits for the disk, and with it everything before.
    await ask(writer, 'SET synchronous_commit = off')
    return new PostgresTarget(await connect(url), writer)
  })
}

class PostgresSource implements Side {
  protected readonly reader: OwnConnection

  constructor(reader: OwnConnection) {
    this.reader = reader
  }

  async version(): Promise<number> {
    if (!(await this.has('guildhall_schema'))) return 0
    const [row] = await ask(this.reader, 'SELECT version FROM guildhall_schema')
    return Number(row?.[0] ?? 0)
  }

  async count(table: TableName): Promise<number> {
    const [row] = await ask(this.reader, `SELECT count(*) FROM ${table}`)
    return Number(row?.[0])
  }

  /** By a cursor: the rows are sorted once, not once for each batch. */
  async *batches(table: Table): AsyncGenerator<readonly Row[]> {
    const cursor = `copy_${table.name}`
    const order = `ORDER BY ${TABLE_KEYS[table.name]} ${BYTES}`
    await ask(this.reader, `DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT ${namesOf(table)} FROM ${table.name} ${order}`)
    const fetch = () => ask(this.reader, `FETCH ${BATCH} FROM ${cursor}`)
    // The next batch comes while this one is worked on.
    let coming = fetch()
    try {
      for (;;) {
        const rows = await coming
        if (rows.length === BATCH) {
          coming = fetch()
          coming.catch(() => {})
        }
        if (rows.length > 0) yield rows.filter(isRow)
        if (rows.length < BATCH) return
      }
    } finally {
      await coming.catch(() => {})
      await ask(this.reader, `CLOSE ${cursor}`)
    }
  }

  async rowsOf(table: Table, keys: readonly string[]): Promise<readonly Row[]> {
    const sql = `SELECT ${namesOf(table)} FROM ${table.name} WHERE ${TABLE_KEYS[table.name]} = ANY($1::text[])`
    return (await ask(this.reader, sql, [keys])).filter(isRow)
  }

  async close(): Promise<void> {
    await this.reader.end().catch(() => {})
  }

  protected async has(table: string): Promise<boolean> {
    const [row] = await ask(this.reader, 'SELECT to_regclass($1) IS NOT NULL', [table])
    return row?.[0] === true
  }
}

class PostgresTarget extends PostgresSource implements Target {
  readonly #writer: OwnConnection

  constructor(reader: OwnConnection, writer: OwnConnection) {
    super(reader)
    this.#writer = writer
  }

  override async *batches(table: Table): AsyncGenerator<readonly Row[]> {
    await ask(this.reader, SNAPSHOT)
    try {
      yield* super.batches(table)
    } finally {
      await ask(this.reader, 'ROLLBACK')
    }
  }

  async tables(): Promise<readonly Table[]> {
    const sql = `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
    const found: Table[] = []
    for (const name of TABLE_NAMES) {
      const columns = await ask(this.reader, sql, [name])
      found.push(
        keyFirst(
          name,
          columns.map(([column, type]) => ({ name: String(column), type: String(type) })),
        ),
      )
    }
    return found
  }

  /** A list for each column, whatever the number of rows: a statement takes 65535 values at most. */
  async write(table: Table, rows: readonly Row[]): Promise<void> {
    refuseNull(table, rows)
    const lists = table.columns.map((_, at) => rows.map((row) => row[at]))
    const places = table.columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')
    const insert = `INSERT INTO ${table.name} (${namesOf(table)}) SELECT * FROM unnest(${places})`
    await ask(this.#writer, `${insert} ${overwriting(table)}`, lists)
  }

  async delete(table: Table, keys: readonly string[]): Promise<void> {
    await ask(this.#writer, `DELETE FROM ${table.name} WHERE ${TABLE_KEYS[table.name]} = ANY($1::text[])`, [keys])
  }

  async readMark(): Promise<string | undefined> {
    if (!(await this.has(MARK_TABLE))) return undefined
    const [row] = await ask(this.#writer, `SELECT mark FROM ${MARK_TABLE}`)
    return typeof row?.[0] === 'string' ? row[0] : undefined
  }

  async writeMark(text: string): Promise<void> {
    await ask(
      this.#writer,
      `BEGIN; SET LOCAL synchronous_commit = on; CREATE TABLE IF NOT EXISTS ${MARK_TABLE} (mark text NOT NULL);
      DELETE FROM ${MARK_TABLE}`,
    )
    await ask(this.#writer, `INSERT INTO ${MARK_TABLE} (mark) VALUES ($1)`, [text])
    await ask(this.#writer, 'COMMIT')
  }

  async wasServed(): Promise<boolean> {
    return (await ask(this.#writer, 'SELECT 1 FROM guildhall_leases LIMIT 1')).length > 0
  }

  async forgetServing(): Promise<void> {
    await ask(this.#writer, 'DELETE FROM guildhall_leases')
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#writer.end().catch(() => {})
  }
}

async function connect(url: string): Promise<OwnConnection> {
  try {
    return await openConnection(url)
  } catch (error) {
    throw asUnavailable(error)
  }
}

async function opened<T>(connection: OwnConnection, work: () => Promise<T>): Promise<T> {
  try {
    await ask(connection, 'SET statement_timeout = 0')
    return await work()
  } catch (error) {
    await connection.end().catch(() => {})
    throw error
  }
}

async function ask(connection: OwnConnection, text: string, values?: unknown[]): Promise<readonly (readonly unknown[])[]> {
  try {
    const query = { text, rowMode: 'array', types: TYPES, ...(values && { values }) } as const
    const { rows } = await connection.query(query)
    // Of several statements at once pg gives several results, and none of ours has rows.
    return (rows ?? []).filter((row) => Array.isArray(row))
  } catch (error) {
    throw asUnavailable(error)
  }
}

/** PostgreSQL's text has no null character. Another in its place would be another text. */
function refuseNull(table: Table, rows: readonly Row[]): void {
  for (const row of rows) {
    const at = row.findIndex((value) => typeof value === 'string' && value.includes('\0'))
    if (at >= 0) throw new CopyRefused('null', { table: table.name, key: String(row[0]), column: table.columns[at]?.name ?? '' })
  }
}

/** Our tables hold texts and numbers alone. */
function isRow(row: readonly unknown[]): row is Row {
  return row.every((value) => typeof value === 'string' || typeof value === 'number' || value === null)
}
