// What a unit of work is made of, on every SQL database: statements that are all done, or none of them.

export type SqlValue = null | number | bigint | string | Uint8Array

/** One statement of a unit of work. */
export interface SqlStep {
  readonly sql: string
  readonly params: readonly SqlValue[]
  /** How many rows it must touch; another number rolls everything back. */
  readonly touches?: number | undefined
  /** What the step is called in the error. Default: its SQL. */
  readonly name?: string | undefined
}

/** A step of a unit of work touched another number of rows than it said. Nothing was written. */
export class UnexpectedRowCount extends Error {
  override readonly name = 'StepMissed'
  readonly step: string

  constructor(step: string, rows: { readonly expected: number; readonly touched: number }) {
    super(`${step}: expected to touch ${rows.expected} rows, touched ${rows.touched}`)
    this.step = step
  }
}
