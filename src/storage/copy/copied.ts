// What a copy tells while it works, and in the end.
import type { TableName } from '../schema.ts'

export interface Progress {
  readonly table: TableName
  readonly step: 'look' | 'copy' | 'check'
  readonly rows: number
  /** How many there are in the source. */
  readonly of: number
}

export interface CopiedTable {
  readonly table: TableName
  readonly source: number
  readonly target: number
  /** Whether each row is the same. */
  readonly same: boolean
  /** What this run wrote and took out. */
  readonly added: number
  readonly removed: number
}
