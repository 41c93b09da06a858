// A transaction is always a list of statements: all of them are done, or none.

export type SqlValue = null | number | bigint | string | Uint8Array

/** One statement of a transaction. */
export interface SqlStatement {
  readonly sql: string
  readonly params: readonly SqlValue[]
  /** How many rows it must touch; another number rolls everything back. */
  readonly expectRows?: number | undefined
  /** What it is called in the error. Default: its SQL. */
  readonly name?: string | undefined
}

/** A statement of a transaction touched another number of rows than expected. Nothing was written. */
export class UnexpectedRowCountError extends Error {
  override readonly name = 'UnexpectedRowCountError'
  readonly statement: string

  constructor(statement: string, rows: { readonly expected: number; readonly touched: number }) {
    super(`${statement}: expected to touch ${rows.expected} rows, touched ${rows.touched}`)
    this.statement = statement
  }
}
