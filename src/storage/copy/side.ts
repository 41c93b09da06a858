// What a copy needs of a database, as source and as target.
import { TABLE_KEYS, type TableName } from '../schema.ts'

/** By column. Our tables have texts and numbers only. */
export type Row = Readonly<Record<string, string | number | null>>

export interface CopiedTable {
  readonly table: TableName
  readonly source: number
  readonly target: number
  /** Whether the row counts match, and the compared rows are the same. */
  readonly same: boolean
}

/** Rows per batch: what waits in the queue of one Redis must be done before a call's deadline. */
export const BATCH = 250

export interface Side {
  /** The key of a table as the sort expression that orders by bytes, on every database. */
  sortKey(name: TableName): string
  /** One statement, with a `?` for each value. */
  ask(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]>
  /** The rows after this key, in order. */
  sorted(table: TableName, after: string): AsyncIterable<readonly Row[]>
  /** All or none. */
  insert(table: TableName, rows: readonly Row[]): Promise<void>
  /** Stores which copy this is; undefined: it is finished. Everything is on disk when this resolves. */
  writeCheckpoint(copying: string | undefined): Promise<void>
  close(): Promise<void>
}

export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLE_KEYS).filter((name): name is TableName => name in TABLE_KEYS)

/** `busy`: the target is the source, or another copy uses it. `null`: a text that PostgreSQL cannot hold. `redis`: it has sessions. */
export type Refusal = 'busy' | 'foreign' | 'other_source' | 'null' | 'redis'

export class CopyRefusedError extends Error {
  override readonly name = 'CopyRefusedError'
  readonly reason: Refusal
  readonly values: Readonly<Record<string, string>>

  constructor(reason: Refusal, values: Readonly<Record<string, string>> = {}) {
    super(`this copy is refused: ${reason}`)
    this.reason = reason
    this.values = values
  }
}

/** The source or the target could not be opened. */
export class CopySideError extends Error {
  override readonly name = 'CopySideError'
  readonly side: 'from' | 'to'

  constructor(side: 'from' | 'to', cause: unknown) {
    super(`the database ${side} which is copied failed`, { cause })
    this.side = side
  }
}
