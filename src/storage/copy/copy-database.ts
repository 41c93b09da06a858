// The interface of a database as source or target of a copy, and the errors of a copy.
import { TABLE_KEYS, type TableName } from '../schema.ts'

/** A row by column. Our tables contain only texts and numbers. */
export type Row = Readonly<Record<string, string | number | null>>

/** The name in the report for sessions that are copied to Redis. */
export const REDIS_SESSIONS = 'sessions in Redis'

export interface CopiedTable {
  readonly table: TableName | typeof REDIS_SESSIONS
  readonly source: number
  readonly target: number
  /** Whether the counts are equal, and so are the rows that were compared. */
  readonly same: boolean
}

/** Rows per batch: one Redis must handle a batch within the deadline of a call. */
export const BATCH = 250

export interface CopyDatabase {
  /** The key of a table as a sort expression, in byte order on every database. */
  sortKey(name: TableName): string
  /** Runs a statement with a `?` for each value. */
  query(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]>
  /** The rows with greater keys, in order. */
  sorted(table: TableName, after: string): AsyncIterable<readonly Row[]>
  /** Inserts all rows or none. */
  insert(table: TableName, rows: readonly Row[]): Promise<void>
  /** Marks the database as this unfinished copy; undefined: as finished. Resolves once this and everything before it is on disk. */
  writeCheckpoint(copying: string | undefined): Promise<void>
  close(): Promise<void>
}

export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLE_KEYS).filter((name): name is TableName => name in TABLE_KEYS)

/**
 * `busy`: the target is the source, or another copy uses it. `finished`: an earlier copy is complete. `foreign`: it has other data.
 * `other_source`: it is an unfinished copy of another source. `null`: a text that PostgreSQL cannot store. `redis`: it has sessions.
 */
export type Refusal = 'busy' | 'finished' | 'foreign' | 'other_source' | 'null' | 'redis'

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
export class CopyOpenError extends Error {
  override readonly name = 'CopyOpenError'
  readonly end: 'from' | 'to'

  constructor(end: 'from' | 'to', cause: unknown) {
    super(`the database ${end} which is copied failed`, { cause })
    this.end = end
  }
}
