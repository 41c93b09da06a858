// What a copy needs of a database, as source and as target.
import { TABLE_KEYS, type TableName } from '../schema.ts'

/** The values of a row in the order of the table's columns: its key comes first. */
export type Row = readonly (string | number | null)[]

export interface Column {
  readonly name: string
  /** As the database names it: `text`, `bigint`. */
  readonly type: string
}

export interface Table {
  readonly name: TableName
  /** The key first. */
  readonly columns: readonly Column[]
}

export interface CopiedTable {
  readonly table: TableName
  readonly source: number
  readonly target: number
  /** Whether there are as many rows, and those that were compared are the same. */
  readonly same: boolean
}

/** How many rows are in memory at a time. */
export const BATCH = 1000

export interface Side {
  /** The key of a table as it is sorted by: in the order of its bytes, on every database. */
  sortKey(name: TableName): string
  columns(name: TableName): Promise<readonly Column[]>
  /** One statement with a `?` for each value. */
  ask(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]>
  /** The rows whose keys come after this one, in order. */
  sorted(table: Table, after: string): AsyncIterable<readonly Row[]>
  /** All of them or none. */
  insert(table: Table, rows: readonly Row[]): Promise<void>
  /** Whose copy this is; undefined: nobody's any more. On disk, with everything before it, when it answers. */
  writeCheckpoint(copying: string | undefined): Promise<void>
  close(): Promise<void>
}

export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLE_KEYS).filter((name): name is TableName => name in TABLE_KEYS)

export function keyOf(row: Row): string {
  return String(row[0])
}

export function namesOf({ columns }: Table): string {
  return columns.map(({ name }) => name).join(', ')
}

/** The table with its key in front. */
export function keyFirst(name: TableName, columns: readonly Column[]): Table {
  const isKey = (column: Column) => column.name === TABLE_KEYS[name]
  return { name, columns: [...columns.filter(isKey), ...columns.filter((column) => !isKey(column))] }
}

/** Our tables hold texts and numbers alone. */
export function isRow(row: unknown): row is Row {
  return Array.isArray(row)
}
