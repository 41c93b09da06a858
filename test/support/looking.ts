// Looks into a database from outside, through a connection of its own, as another program would: the same on SQLite and on PostgreSQL.
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { TYPES } from '../../src/session/postgres.ts'

/** Whatever says where its database is: `sqlite:PATH` or `postgres://...`. */
export interface Kept {
  readonly database: string
}

type Value = string | number | bigint | Uint8Array | null
export type Row = Readonly<Record<string, Value>>

/** Runs one statement, with a `?` for each value; gives its rows. */
export async function inDatabase(
  { database }: Kept,
  sql: string,
  ...values: readonly (string | number)[]
): Promise<readonly Row[]> {
  const file = fileOf(database)
  if (file !== undefined) return inFile(file, sql, values)
  let at = 0
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    const { rows } = await client.query({ text: sql.replace(/\?/g, () => `$${++at}`), values: [...values], types: TYPES })
    return rows
  } finally {
    await client.end()
  }
}

/** Everything that is kept: every byte of the file, its write-ahead log and the log's index; of a server, every row. */
export async function bytesAtRest(kept: Kept): Promise<string> {
  const file = fileOf(kept.database)
  if (file === undefined) return JSON.stringify(await allRows(kept))
  return ['', '-wal', '-shm']
    .map((end) => file + end)
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

/** All rows of all tables, in an order that does not depend on when they were written. */
export async function allRows(kept: Kept): Promise<Readonly<Record<string, readonly Row[]>>> {
  const tables = await inDatabase(kept, fileOf(kept.database) === undefined ? TABLES.postgres : TABLES.sqlite)
  const entries = tables.map(async ({ name }) => {
    const rows = await inDatabase(kept, `SELECT * FROM "${String(name)}"`)
    return [String(name), rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

const TABLES = {
  sqlite: "SELECT name FROM sqlite_master WHERE type = 'table'",
  postgres: 'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
}

function inFile(file: string, sql: string, values: readonly (string | number)[]): readonly Row[] {
  const database = new DatabaseSync(file)
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

function fileOf(database: string): string | undefined {
  return database.startsWith('sqlite:') ? database.slice('sqlite:'.length) : undefined
}
