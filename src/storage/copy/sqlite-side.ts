// A SQLite file that is copied, or copied to.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { BATCH, type Column, isRow, keyOf, namesOf, type Row, type Side, type Table } from './side.ts'

const BUSY_TIMEOUT_MS = 5000

/** Nobody else writes to it until it is closed: a site that still runs refuses to. */
export function openSqliteSource(file: string): Side {
  return opened(file, 'BEGIN IMMEDIATE')
}

/** Nobody else may use the file until it is closed. */
export function openSqliteTarget(file: string): Side {
  return opened(file, 'PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT')
}

function opened(file: string, lock: string): Side {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  try {
    database.exec(`PRAGMA synchronous = NORMAL; ${lock}`)
    return new SqliteSide(database)
  } catch (error) {
    database.close()
    throw error
  }
}

class SqliteSide implements Side {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  sortKey(name: TableName): string {
    return TABLE_KEYS[name]
  }

  async columns(name: TableName): Promise<readonly Column[]> {
    const rows = await this.ask('SELECT name, type FROM pragma_table_info(?)', name)
    return rows.map(([column, type]) => ({ name: String(column), type: String(type) }))
  }

  async ask(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]> {
    const rows: readonly unknown[] = this.#prepare(sql).all(...values)
    return rows.filter(isRow)
  }

  async *sorted(table: Table, after: string): AsyncGenerator<readonly Row[]> {
    const key = TABLE_KEYS[table.name]
    const select = `SELECT ${namesOf(table)} FROM ${table.name} WHERE ${key} > ? ORDER BY ${key} LIMIT ${BATCH}`
    for (let last = after; ; ) {
      const rows = await this.ask(select, last)
      if (rows.length > 0) yield rows
      const end = rows.at(-1)
      if (end === undefined || rows.length < BATCH) return
      last = keyOf(end)
    }
  }

  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    const places = table.columns.map(() => '?').join(', ')
    const insert = this.#prepare(`INSERT INTO ${table.name} (${namesOf(table)}) VALUES (${places})`)
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const row of rows) insert.run(...row)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  async writeCheckpoint(copying: string | undefined): Promise<void> {
    this.#database.exec('PRAGMA synchronous = FULL')
    this.#prepare('UPDATE guildhall_schema SET copying = ?').run(copying ?? null)
    this.#database.exec('PRAGMA synchronous = NORMAL')
  }

  async close(): Promise<void> {
    this.#database.close()
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
