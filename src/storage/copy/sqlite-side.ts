// A side of a copy in a SQLite file.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import {
  BATCH,
  keyFirst,
  keyOf,
  MARK_TABLE,
  namesOf,
  overwriting,
  type Row,
  type Side,
  TABLE_NAMES,
  type Table,
  type Target,
} from './side.ts'

const BUSY_TIMEOUT_MS = 5000

/** As the file is now, whatever a site writes to it meanwhile. The log of the file grows until the copy is done. */
export function openSqliteSource(file: string): Side {
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  database.exec('BEGIN')
  return new SqliteSide(database)
}

/** Nobody else may use the file meanwhile. */
export function openSqliteTarget(file: string): Target {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; COMMIT')
  } catch (error) {
    database.close()
    throw error
  }
  return new SqliteSide(database)
}

class SqliteSide implements Target {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
    database.exec('PRAGMA cache_size = -65536')
  }

  async version(): Promise<number> {
    if (this.#all("SELECT 1 FROM sqlite_schema WHERE name = 'guildhall_schema'").length === 0) return 0
    return Number(this.#all('SELECT version FROM guildhall_schema')[0]?.[0])
  }

  async count(table: TableName): Promise<number> {
    return Number(this.#all(`SELECT count(*) FROM ${table}`)[0]?.[0])
  }

  async tables(): Promise<readonly Table[]> {
    return TABLE_NAMES.map((name) => {
      const columns = this.#all('SELECT name, type FROM pragma_table_info(?)', name)
      return keyFirst(
        name,
        columns.map(([column, type]) => ({ name: String(column), type: String(type) })),
      )
    })
  }

  async *batches(table: Table): AsyncGenerator<readonly Row[]> {
    const key = TABLE_KEYS[table.name]
    const select = `SELECT ${namesOf(table)} FROM ${table.name}`
    const order = `ORDER BY ${key} LIMIT ${BATCH}`
    let rows = this.#all(`${select} ${order}`)
    while (rows.length > 0) {
      yield rows
      const last = rows.at(-1)
      rows = last && rows.length === BATCH ? this.#all(`${select} WHERE ${key} > ? ${order}`, keyOf(last)) : []
    }
  }

  async rowsOf(table: Table, keys: readonly string[]): Promise<readonly Row[]> {
    const sql = `SELECT ${namesOf(table)} FROM ${table.name} WHERE ${TABLE_KEYS[table.name]} = ?`
    return keys.flatMap((key) => this.#all(sql, key))
  }

  async write(table: Table, rows: readonly Row[]): Promise<void> {
    const places = table.columns.map(() => '?').join(', ')
    const write = this.#prepare(`INSERT INTO ${table.name} (${namesOf(table)}) VALUES (${places}) ${overwriting(table)}`)
    this.#transact(() => {
      for (const row of rows) write.run(...row)
    })
  }

  async delete(table: Table, keys: readonly string[]): Promise<void> {
    const remove = this.#prepare(`DELETE FROM ${table.name} WHERE ${TABLE_KEYS[table.name]} = ?`)
    this.#transact(() => {
      for (const key of keys) remove.run(key)
    })
  }

  async readMark(): Promise<string | undefined> {
    if (this.#all('SELECT name FROM sqlite_schema WHERE name = ?', MARK_TABLE).length === 0) return undefined
    const text = this.#all(`SELECT mark FROM ${MARK_TABLE}`)[0]?.[0]
    return typeof text === 'string' ? text : undefined
  }

  async writeMark(text: string): Promise<void> {
    this.#database.exec('PRAGMA synchronous = FULL')
    this.#transact(() => {
      this.#database.exec(`CREATE TABLE IF NOT EXISTS ${MARK_TABLE} (mark text NOT NULL); DELETE FROM ${MARK_TABLE}`)
      this.#prepare(`INSERT INTO ${MARK_TABLE} (mark) VALUES (?)`).run(text)
    })
    this.#database.exec('PRAGMA synchronous = NORMAL')
  }

  async wasServed(): Promise<boolean> {
    return this.#all('SELECT 1 FROM guildhall_leases LIMIT 1').length > 0
  }

  async forgetServing(): Promise<void> {
    this.#database.exec('DELETE FROM guildhall_leases')
  }

  async close(): Promise<void> {
    this.#prepared.clear()
    this.#database.close()
  }

  #transact(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #all(sql: string, ...values: readonly string[]): readonly Row[] {
    const rows: readonly unknown[] = this.#prepare(sql).all(...values)
    return rows.filter(isRow)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    statement.setReturnArrays(true)
    this.#prepared.set(sql, statement)
    return statement
  }
}

/** Our tables hold texts and numbers alone. */
function isRow(row: unknown): row is Row {
  return Array.isArray(row)
}
