// Which tables a statement reads and writes, as SQLite says while it compiles it.
import { constants, type DatabaseSync } from './driver.ts'

/** How often a statement that writes to the table has been run. */
export interface Table {
  writes: number
}

export interface TablesUsed {
  readonly reads: readonly Table[]
  readonly writes: readonly Table[]
}

/** Actions of SQLite's authorizer that change no row. https://www.sqlite.org/c3ref/c_alter_table.html */
const HARMLESS: readonly number[] = [
  constants.SQLITE_SELECT,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
  constants.SQLITE_PRAGMA,
  constants.SQLITE_ANALYZE,
]
const ROWS_WRITTEN: readonly number[] = [constants.SQLITE_INSERT, constants.SQLITE_UPDATE, constants.SQLITE_DELETE]

export class Tables {
  readonly #named = new Map<string, Table>()
  /** All tables together. Every statement reads it; one with unknown effects writes it. */
  readonly #any: Table = { writes: 0 }
  readonly #toldBySqlite: boolean
  readonly #recompiled: () => void
  /** What the statement that is being compiled uses. */
  #used: TablesUsed = { reads: [], writes: [] }
  #compiling = false

  /** `recompiled`: called when SQLite has recompiled a statement, whose tables may have changed: what is known of any must be forgotten. */
  constructor(database: DatabaseSync, recompiled: () => void) {
    this.#recompiled = recompiled
    // Node 22 has no authorizer: there, every write concerns every table.
    this.#toldBySqlite = 'setAuthorizer' in database
    if (!this.#toldBySqlite) return
    database.setAuthorizer((action, name, _detail, _database, trigger) => {
      if (action === constants.SQLITE_READ) this.#addUse('reads', this.#table(name))
      else if (ROWS_WRITTEN.includes(action)) this.#addUse('writes', trigger === null ? this.#table(name) : this.#any)
      else if (action === constants.SQLITE_TRANSACTION && name !== 'ROLLBACK') return constants.SQLITE_OK
      else if (!HARMLESS.includes(action)) this.#addUse('writes', this.#any)
      return constants.SQLITE_OK
    })
  }

  /** Compiles a statement, and adds what it uses. */
  compiling<T>(sql: string, compile: () => T): T & TablesUsed {
    const unknown = !this.#toldBySqlite && !/^\s*(?:select|pragma|explain)\b/i.test(sql)
    this.#used = { reads: [this.#any], writes: unknown ? [this.#any] : [] }
    this.#compiling = true
    try {
      const compiled = compile()
      return { ...compiled, ...this.#used }
    } finally {
      this.#compiling = false
    }
  }

  /** To be called before a statement runs. */
  running(used: TablesUsed): void {
    this.#used = used
    for (const table of used.writes) table.writes++
  }

  /** To be called when another connection has written to an unknown table. */
  changedByOthers(): void {
    this.#any.writes++
  }

  /** SQLite also recompiles by itself while it runs, for a better plan or a changed schema. */
  #addUse(how: 'reads' | 'writes', table: Table): void {
    if (this.#used[how].includes(table)) return
    this.#used = { ...this.#used, [how]: [...this.#used[how], table] }
    if (this.#compiling) return
    // Higher than the sum of all tables, so that no sum over other tables can repeat an earlier one.
    for (const { writes } of this.#named.values()) this.#any.writes += writes
    this.#any.writes++
    this.#recompiled()
  }

  /** A write to the schema concerns every table. */
  #table(name: string | null): Table {
    if (name === null || /^sqlite_/i.test(name)) return this.#any
    const known = this.#named.get(name)
    if (known) return known
    const table = { writes: 0 }
    this.#named.set(name, table)
    return table
  }
}
