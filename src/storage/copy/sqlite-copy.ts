// A SQLite file as source or target of a copy.
import { SqliteConnection } from '../../database/sqlite/connection.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { BATCH, type CopyDatabase, type Row } from './copy-database.ts'

/** Nobody else can write until it is closed: the copy fails if a site still runs. */
export function openSqliteSource(file: string): Promise<CopyDatabase> {
  return opened(file, ['BEGIN IMMEDIATE'])
}

/** Nobody else can use the file until it is closed. */
export function openSqliteTarget(file: string): Promise<CopyDatabase> {
  return opened(file, ['PRAGMA locking_mode = EXCLUSIVE', 'BEGIN IMMEDIATE', 'COMMIT'])
}

/** For checks that leave the file unchanged. */
export function openSqliteReadOnly(file: string): CopyDatabase {
  return new SqliteCopy(new SqliteConnection(file, { readOnly: true }))
}

async function opened(file: string, locks: readonly string[]): Promise<CopyDatabase> {
  const connection = new SqliteConnection(file)
  try {
    for (const lock of locks) await connection.retrying(() => connection.run(lock))
    return new SqliteCopy(connection)
  } catch (error) {
    connection.close()
    throw error
  }
}

class SqliteCopy implements CopyDatabase {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  sortKey(name: TableName): string {
    return TABLE_KEYS[name]
  }

  async query(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]> {
    return this.#connection.all<Row>(sql, values)
  }

  async *sorted(table: TableName, after: string): AsyncGenerator<readonly Row[]> {
    const key = TABLE_KEYS[table]
    const select = `SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${BATCH}`
    for (let rows = await this.query(select, after); rows.length > 0; rows = await this.query(select, String(rows.at(-1)?.[key])))
      yield rows
  }

  async insert(table: TableName, rows: readonly Row[]): Promise<void> {
    const columns = Object.keys(rows[0] ?? {})
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
    this.#connection.transaction(rows.map((row) => ({ sql, params: Object.values(row) })))
  }

  async writeCheckpoint(copying: string | undefined): Promise<void> {
    this.#connection.run('UPDATE guildhall_schema SET copying = ?', [copying ?? null], { durable: true })
  }

  async close(): Promise<void> {
    this.#connection.close()
  }
}
