// One connection to a SQLite file, for reads and writes. SQLite is synchronous.
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Awaitable } from '../../domain/awaitable.ts'
import { type SqlStatement, type SqlValue, UnexpectedRowCountError } from '../transaction.ts'
import { OPENING_TIMEOUT_MS, retryBlocking, retryLater } from './busy.ts'
import { DatabaseSync } from './driver.ts'
import { isBusy, isUniqueViolation } from './error-codes.ts'
import { Tables, type TablesUsed } from './table-changes.ts'

// How long SQLite itself waits, which blocks every request of this process; longer waits are asynchronous.
const BUSY_TIMEOUT_MS = 50
// A checkpoint blocks too: SQLite's default of 1000 pages takes 50 to 200 ms for a large file on a busy machine.
const CHECKPOINT_PAGES = 200
const MAX_STATEMENTS = 500

/** Files that SQLite may put beside the database. */
export const SIDECARS = ['-journal', '-wal', '-shm']

interface Prepared extends TablesUsed {
  readonly statement: StatementSync
  readonly columns: readonly string[]
}

interface Opening {
  readonly readOnly?: boolean | undefined
  /** Leaves the file unchanged until `useWal`, so that the caller can first check whether it is ours. */
  readonly walLater?: boolean | undefined
}

interface Durability {
  /** On disk before it answers. */
  readonly durable?: boolean | undefined
}

export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()
  readonly #tables: Tables
  #dataVersion: SqlValue = 0
  #askedAt = Number.NEGATIVE_INFINITY

  /** Opens the file, or makes it and its folder, readable by the owner alone whatever the umask. `:memory:` keeps nothing. */
  constructor(path: string, { readOnly = false, walLater = false }: Opening = {}) {
    if (!readOnly && path !== ':memory:') createPrivately(path)
    this.#database = readOnly
      ? openReadOnly(path)
      : new DatabaseSync(path, { timeout: OPENING_TIMEOUT_MS, enableForeignKeyConstraints: true })
    this.#tables = new Tables(this.#database, () => this.#prepared.clear())
    if (readOnly) return
    if (!walLater) this.useWal()
    this.#database.exec(`PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  }

  /** Stored in the file. SQLite returns busy at once if two processes do this together. */
  useWal(): void {
    retryBlocking(() => this.#database.exec('PRAGMA journal_mode = WAL'))
  }

  /**
   * Grows whenever the tables that `sql` reads may have changed, through this or another connection. Other connections are checked at most
   * once a millisecond: that costs nearly as much as a read.
   */
  version(sql: string): number {
    const now = performance.now()
    if (now - this.#askedAt >= 1) {
      this.#askedAt = now
      const [dataVersion = 0] = this.values('PRAGMA data_version') ?? []
      if (dataVersion !== this.#dataVersion) this.#tables.changedByOthers()
      this.#dataVersion = dataVersion
    }
    return this.versionSeen(sql)
  }

  /** The same without a check for other connections. */
  versionSeen(sql: string): number {
    let version = 0
    for (const table of this.#find(sql).reads) version += table.writes
    return version
  }

  /** Every row, as objects. */
  all<Row = Record<string, SqlValue>>(sql: string, params: readonly SqlValue[] = []): Row[] {
    const rows = this.allValues(sql, params)
    const { columns } = this.#find(sql)
    return rows.map((values) => asObject<Row>(columns, values))
  }

  /** The first row, as an object. */
  first<Row = Record<string, SqlValue>>(sql: string, params: readonly SqlValue[] = []): Row | undefined {
    const prepared = this.#prepare(sql)
    const values: unknown = prepared.statement.get(...params)
    return isValues(values) ? asObject<Row>(prepared.columns, values) : undefined
  }

  /** The first row as its bare values, in the order of the columns. */
  values(sql: string, params: readonly SqlValue[] = []): readonly SqlValue[] | undefined {
    const values: unknown = this.#prepare(sql).statement.get(...params)
    return isValues(values) ? values : undefined
  }

  /** Every row as its bare values. */
  allValues(sql: string, params: readonly SqlValue[] = [], options: Durability = {}): (readonly SqlValue[])[] {
    const { statement } = this.#prepare(sql)
    const read = (): readonly unknown[] => statement.all(...params)
    return (options.durable ? this.#durably(read) : read()).filter(isValues)
  }

  /** Runs one statement and returns how many rows it changed. */
  run(sql: string, params: readonly SqlValue[] = [], options: Durability = {}): { readonly changes: number } {
    const { statement } = this.#prepare(sql)
    if (!options.durable) return { changes: Number(statement.run(...params).changes) }
    return this.#durably(() => ({ changes: Number(statement.run(...params).changes) }))
  }

  /**
   * All statements or none, in one tick; returns the rows each changed. Throws `UnexpectedRowCountError` if one touched another number
   * than expected.
   */
  transaction(statements: readonly SqlStatement[], options: Durability = {}): readonly number[] {
    const transact = () => this.#within('BEGIN IMMEDIATE', () => statements.map((statement) => this.#runOne(statement)))
    return options.durable ? this.#durably(transact) : transact()
  }

  /** All or nothing, under an exclusive lock on the file. */
  exclusively<T>(work: () => T): T {
    return this.#within('BEGIN EXCLUSIVE', work)
  }

  /** Tries at once, and while the file is busy after growing pauses. Throws `StoreBusyError` after five seconds. */
  retrying<T>(work: () => T): Awaitable<T> {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw error
      return retryLater(work, error)
    }
  }

  close(): void {
    this.#prepared.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  #within<T>(begin: string, work: () => T): T {
    this.run(begin)
    try {
      const done = work()
      this.run('COMMIT')
      return done
    } catch (error) {
      // A full disk may have caused a rollback already; a second ROLLBACK would hide the reason.
      if (this.#database.isTransaction) this.run('ROLLBACK')
      throw error
    }
  }

  #runOne({ sql, params, expectRows, name = sql }: SqlStatement): number {
    const touched = this.#touched(name, sql, params)
    if (expectRows !== undefined && touched !== expectRows)
      throw new UnexpectedRowCountError(name, { expected: expectRows, touched })
    return touched
  }

  /** How many rows it touched: none if such a row already exists. */
  #touched(name: string, sql: string, params: readonly SqlValue[]): number {
    try {
      return this.run(sql, params).changes
    } catch (error) {
      if (isUniqueViolation(error)) throw new UnexpectedRowCountError(name, { expected: 1, touched: 0 })
      throw error
    }
  }

  #durably<T>(work: () => T): T {
    this.#database.exec('PRAGMA synchronous = FULL')
    try {
      return work()
    } finally {
      this.#database.exec('PRAGMA synchronous = NORMAL')
    }
  }

  /** A prepared statement that is about to run: the tables that it writes count as changed. */
  #prepare(sql: string): Prepared {
    const prepared = this.#find(sql)
    this.#tables.running(prepared)
    return prepared
  }

  #find(sql: string): Prepared {
    return this.#prepared.get(sql) ?? this.#compile(sql)
  }

  #compile(sql: string): Prepared {
    const prepared = this.#tables.compiling(sql, () => {
      const statement = this.#database.prepare(sql)
      statement.setReturnArrays(true)
      return { statement, columns: statement.columns().map(({ name }) => name) }
    })
    if (this.#prepared.size >= MAX_STATEMENTS) this.#prepared.clear()
    this.#prepared.set(sql, prepared)
    return prepared
  }
}

/** SQLite leaves sidecar files even for a file that it only reads, unless `immutable` says that nobody writes it. */
export function openReadOnly(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  if (!SIDECARS.some((end) => existsSync(path + end))) url.searchParams.set('immutable', '1') // https://www.sqlite.org/uri.html#uriimmutable
  return new DatabaseSync(url, { readOnly: true, timeout: OPENING_TIMEOUT_MS })
}

/** -wal and -shm get the mode of the file itself. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

function isValues(row: unknown): row is readonly SqlValue[] {
  return Array.isArray(row)
}

/** The caller names the type of the row: SQL has none to check. */
function asObject<Row>(columns: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {}
  for (let at = 0; at < columns.length; at++) row[columns[at] ?? ''] = values[at] ?? null
  return row as Row
}
