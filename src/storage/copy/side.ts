// What a copy needs of a database, as source and as target.
import { TABLE_KEYS, type TableName } from '../schema.ts'

/** By column. Our tables hold texts and numbers alone. */
export type Row = Readonly<Record<string, string | number | null>>

/** Where sessions go that go to Redis: no table. */
export const REDIS_SESSIONS = 'sessions in Redis'

export interface CopiedTable {
  readonly table: TableName | typeof REDIS_SESSIONS
  readonly source: number
  readonly target: number
  /** Whether there are as many rows, and those that were compared are the same. */
  readonly same: boolean
}

/** How many rows are on their way at a time: what waits in the queue of one Redis has to be done within the deadline of a call. */
export const BATCH = 250

export interface Side {
  /** The key of a table as it is sorted by: in the order of its bytes, on every database. */
  sortKey(name: TableName): string
  /** One statement with a `?` for each value. */
  ask(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]>
  /** The rows whose keys come after this one, in order. */
  sorted(table: TableName, after: string): AsyncIterable<readonly Row[]>
  /** All of them or none. */
  insert(table: TableName, rows: readonly Row[]): Promise<void>
  /** Whose copy this is; undefined: nobody's any more. On disk, with everything before it, when it answers. */
  writeCheckpoint(copying: string | undefined): Promise<void>
  close(): Promise<void>
}

export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLE_KEYS).filter((name): name is TableName => name in TABLE_KEYS)

/**
 * `busy`: the target is the source, or another copy works with it. `finished`: an earlier copy brought all of it.
 * `null`: a text that PostgreSQL cannot hold. `redis`: it has sessions.
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
export class CopySideError extends Error {
  override readonly name = 'CopySideError'
  readonly side: 'from' | 'to'

  constructor(side: 'from' | 'to', cause: unknown) {
    super(`the database ${side} which is copied failed`, { cause })
    this.side = side
  }
}
