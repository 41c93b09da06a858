// One side of a copy: a database whose tables are read whole, in the order of their keys.
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

/** How many rows are in memory at a time, of each side. */
export const BATCH = 1000

export interface Side {
  /** The number of the last migration; 0 where there is none. */
  version(): Promise<number>
  count(table: TableName): Promise<number>
  /** All rows of a table as they are now, by key, in the order of its bytes. */
  batches(table: Table): AsyncIterable<readonly Row[]>
  /** The rows of these keys, those that there are. */
  rowsOf(table: Table, keys: readonly string[]): Promise<readonly Row[]>
  close(): Promise<void>
}

export interface Target extends Side {
  /** The columns that the tables have here, by the list of our tables. */
  tables(): Promise<readonly Table[]>
  /** New rows, and rows in the place of those with their keys; all of them or none. */
  write(table: Table, rows: readonly Row[]): Promise<void>
  delete(table: Table, keys: readonly string[]): Promise<void>
  /** What an earlier copy left written here. */
  readMark(): Promise<string | undefined>
  /** On disk, with everything before it, when it answers. */
  writeMark(text: string): Promise<void>
  /** Whether a server has ever swept here, and that it is forgotten. */
  wasServed(): Promise<boolean>
  forgetServing(): Promise<void>
}

export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLE_KEYS).filter((name): name is TableName => name in TABLE_KEYS)

export const MARK_TABLE = 'guildhall_copy'

export function keyOf(row: Row): string {
  return String(row[0])
}

export function namesOf({ columns }: Table): string {
  return columns.map(({ name }) => name).join(', ')
}

/** What a row does that meets its key; the same on both databases. */
export function overwriting({ name, columns }: Table): string {
  const others = columns.slice(1).map((column) => `${column.name} = excluded.${column.name}`)
  return `ON CONFLICT (${TABLE_KEYS[name]}) DO UPDATE SET ${others.join(', ')}`
}

/** The columns with the key in front. */
export function keyFirst(name: TableName, columns: readonly Column[]): Table {
  const isKey = (column: Column) => column.name === TABLE_KEYS[name]
  return { name, columns: [...columns.filter(isKey), ...columns.filter((column) => !isKey(column))] }
}

export function isSameRow(one: Row, other: Row | undefined): boolean {
  return other !== undefined && one.every((value, at) => value === other[at])
}

/** As both databases order keys: by their bytes in UTF-8. Their order in UTF-16 is another where a character has two units. */
export function compareKeys(one: string, other: string): number {
  if (one === other) return 0
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)]
    if (a !== b) return rank(a) - rank(b)
  }
  return one.length - other.length
}

/** Surrogates stand for the characters behind all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
