// Reads a database from outside, over a connection of its own: SQLite, PostgreSQL, and Redis.
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { TYPES } from '../../src/database/postgres/query.ts'
import { keysIn, openRedis } from './redis-server.ts'

/** The database, `sqlite:PATH` or `postgres://...`, and the Redis of sessions and counters, if there is one. */
export interface Kept {
  readonly database: string
  readonly redis?: KeptInRedis | undefined
}

export interface KeptInRedis {
  readonly url: string
  /** What its keys begin with. */
  readonly prefix: string
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

export async function countRows(kept: Kept, table: 'users' | 'credentials' | 'sessions'): Promise<number> {
  if (table === 'sessions') return (await sessionRows(kept)).length
  const [row] = await inDatabase(kept, `SELECT count(*) AS n FROM guildhall_${table}`)
  return Number(row?.n)
}

/** Every stored session, live or not. In Redis a row is the fields of its key, with those in its JSON. */
export async function sessionRows(kept: Kept): Promise<readonly Row[]> {
  if (!kept.redis) return inDatabase(kept, 'SELECT * FROM guildhall_sessions')
  const begin = `${kept.redis.prefix}session:`
  const sessions = (await allKeys(kept.redis)).filter(({ key }) => key.startsWith(begin))
  return sessions.map(({ key, value }) => ({ hash: key.slice(begin.length), ...value, ...JSON.parse(String(value.row)) }))
}

/** Whether there is a session under this hash, live or not. */
export async function hasSession(kept: Kept, hash: string): Promise<boolean> {
  if (!kept.redis) return (await inDatabase(kept, 'SELECT 1 AS there FROM guildhall_sessions WHERE hash = ?', hash)).length > 0
  const { url, prefix } = kept.redis
  const client = await openRedis(url)
  try {
    return (await client.exists(`${prefix}session:${hash}`)) === 1
  } finally {
    await client.close()
  }
}

/** Everything that is kept: every byte of the file, its write-ahead log and the log's index; of a server, every row; of Redis, every key. */
export async function bytesAtRest(kept: Kept): Promise<string> {
  const inRedis = kept.redis ? JSON.stringify(await allKeys(kept.redis)) : ''
  const file = fileOf(kept.database)
  if (file === undefined) return JSON.stringify(await allRows(kept)) + inRedis
  return ['', '-wal', '-shm']
    .map((end) => file + end)
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .concat(inRedis)
    .join('\n')
}

/** Every key of a prefix with all it holds: sessions are hashes, counters texts, what names a user's sessions is a sorted set. */
async function allKeys({ url, prefix }: KeptInRedis): Promise<readonly { readonly key: string; readonly value: Row }[]> {
  const client = await openRedis(url)
  try {
    return await Promise.all(
      (await keysIn(client, prefix)).map(async (key) => {
        if (key.startsWith(`${prefix}counter:`)) return { key, value: { state: await client.get(key) } }
        const isSet = key.startsWith(`${prefix}user:`)
        const value: Row = isSet ? Object.fromEntries((await client.zRange(key, 0, -1)).entries()) : await client.hGetAll(key)
        return { key, value }
      }),
    )
  } finally {
    await client.close()
  }
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
  const database = new DatabaseSync(file, { timeout: 5000 })
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

function fileOf(database: string): string | undefined {
  return database.startsWith('sqlite:') ? database.slice('sqlite:'.length) : undefined
}
