// Copies a database into an empty one, table by table. An interrupted copy can be resumed.
import { chmodSync, existsSync } from 'node:fs'
import { SIDECARS } from '../../database/sqlite/connection.ts'
import { readDatabaseUrl } from '../../domain/database-url.ts'
import type { Database } from '../contract.ts'
import { openDatabase } from '../open.ts'
import { TABLE_KEYS, type TableName } from '../schema.ts'
import { OtherSchemaError } from '../schema-state.ts'
import { isSameFile } from '../sqlite/atomic-file.ts'
import { openSqlite } from '../sqlite/database.ts'
import {
  type CopiedTable,
  type CopyDatabase,
  CopyOpenError,
  CopyRefusedError,
  REDIS_SESSIONS,
  type Row,
  TABLE_NAMES,
} from './copy-database.ts'
import { openPostgresSource, openPostgresTarget } from './postgres-copy.ts'
import type { RedisTarget } from './redis-target.ts'
import { openSqliteReadOnly, openSqliteSource, openSqliteTarget } from './sqlite-copy.ts'

export interface Progress {
  readonly table: CopiedTable['table']
  readonly rows: number
  /** The number of rows in the source. */
  readonly of: number
}

export interface CopyOptions {
  /** `sqlite:PATH` or `postgres://...` */
  readonly from: string
  readonly to: string
  /** Identifies the copy in its target: the source, and Redis if it gets the sessions. No passwords. */
  readonly name: string
  /** Gets the sessions instead of the target. */
  readonly redis?: RedisTarget | undefined
  readonly onProgress: (progress: Progress) => void
}

/** How many rows of a table are compared, including the first and the last. */
const SAMPLES = 50

/** The target cannot be served until everything is equal. Throws CopyRefusedError if it has data that this copy did not insert. */
export async function copyDatabase(options: CopyOptions): Promise<readonly CopiedTable[]> {
  const [from, to] = [fileOf(options.from), fileOf(options.to)]
  if (from !== undefined && to !== undefined && isSameFile(from, to)) throw new CopyRefusedError('busy')
  const source = await whileOpening('from', () => openSource(options.from))
  try {
    const target = await whileOpening('to', () => openTarget(source, options))
    try {
      return await copyTables(source, target, options)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function copyTables(source: CopyDatabase, target: CopyDatabase, options: CopyOptions): Promise<readonly CopiedTable[]> {
  // Checked again, now that both databases are locked.
  await refuseTaken(source, target, options)
  closeToOthers(options.to)
  await target.writeCheckpoint(options.name)
  const copied: CopiedTable[] = []
  for (const name of TABLE_NAMES) {
    const of = await count(source, name)
    const toRedis = name === 'guildhall_sessions' ? options.redis : undefined
    const onRows = (rows: number) => options.onProgress({ table: toRedis ? REDIS_SESSIONS : name, rows, of })
    copied.push(await (toRedis ? toRedis.copySessions(source, onRows) : copyTable(source, target, name, onRows)))
  }
  if (copied.every(({ same }) => same)) await target.writeCheckpoint(undefined)
  return copied
}

/** Throws if this copy may not write into the target. */
async function refuseTaken(source: CopyDatabase, target: CopyDatabase, { name, redis }: CopyOptions): Promise<void> {
  const [{ copying = null } = {}] = await target.query('SELECT copying FROM guildhall_schema')
  if (copying === name) return
  if (copying !== null) throw new CopyRefusedError('other_source', { source: String(copying) })
  for (const table of TABLE_NAMES)
    if ((await count(target, table)) > 0) throw new CopyRefusedError((await isFinished(source, target)) ? 'finished' : 'foreign')
  if (await redis?.hasSessions()) throw new CopyRefusedError('redis')
}

/** Whether an earlier copy was finished: the target has the same user ids, which are random. The rest may have changed since. */
async function isFinished(source: CopyDatabase, target: CopyDatabase): Promise<boolean> {
  for (const { id } of await samples(source, 'guildhall_users', await count(source, 'guildhall_users'))) {
    const [there] = await target.query('SELECT id FROM guildhall_users WHERE id = ?', String(id))
    if (there) return true
  }
  return false
}

/** Rows are inserted in the order of their keys, so the last key in the target is where to resume. */
async function copyTable(
  source: CopyDatabase,
  target: CopyDatabase,
  name: TableName,
  onRows: (rows: number) => void,
): Promise<CopiedTable> {
  let rows = await count(target, name)
  const [{ last = null } = {}] = await target.query(`SELECT max(${target.sortKey(name)}) AS last FROM ${name}`)
  for await (const batch of source.sorted(name, String(last ?? ''))) {
    await target.insert(name, batch)
    rows += batch.length
    onRows(rows)
  }
  const counts = { source: await count(source, name), target: await count(target, name) }
  const same = counts.source === counts.target && (await samplesAgree(source, target, name, counts.source))
  return { table: name, ...counts, same }
}

async function samplesAgree(source: CopyDatabase, target: CopyDatabase, name: TableName, rows: number): Promise<boolean> {
  const key = TABLE_KEYS[name]
  for (const row of await samples(source, name, rows)) {
    const [there] = await target.query(`SELECT * FROM ${name} WHERE ${key} = ?`, String(row[key]))
    if (!isSameRow(row, there)) return false
  }
  return true
}

async function samples(database: CopyDatabase, name: TableName, rows: number): Promise<readonly Row[]> {
  const offsets = new Set(Array.from({ length: SAMPLES }, (_, n) => Math.floor((n * (rows - 1)) / (SAMPLES - 1))))
  const found: Row[] = []
  for (const offset of rows === 0 ? [] : offsets)
    found.push(...(await database.query(`SELECT * FROM ${name} ORDER BY ${database.sortKey(name)} LIMIT 1 OFFSET ?`, offset)))
  return found
}

function isSameRow(one: Row | undefined, other: Row | undefined): boolean {
  return one !== undefined && Object.entries(one).every(([column, value]) => value === other?.[column])
}

async function count(database: CopyDatabase, table: TableName): Promise<number> {
  const [row] = await database.query(`SELECT count(*) AS rows FROM ${table}`)
  return Number(row?.rows)
}

async function openSource(from: string): Promise<CopyDatabase> {
  const file = fileOf(from)
  await withDatabase(file === undefined ? openDatabase(from) : openSqlite(file, { readOnly: true }), (db) => db.check())
  return file === undefined ? openPostgresSource(from) : openSqliteSource(file)
}

/** Created if it is missing. A file that is refused stays unchanged: it is only read until then. */
async function openTarget(source: CopyDatabase, options: CopyOptions): Promise<CopyDatabase> {
  const { to } = options
  const file = fileOf(to)
  if (file === undefined) {
    if (!(await withDatabase(openDatabase(to), isMigrated))) await withDatabase(openDatabase(to), (db) => db.migrate())
    return openPostgresTarget(to)
  }
  if (existsSync(file) && (await withDatabase(openSqlite(file, { readOnly: true }), isMigrated))) {
    const readOnly = openSqliteReadOnly(file)
    try {
      await refuseTaken(source, readOnly, options)
    } finally {
      await readOnly.close()
    }
  } else await withDatabase(openSqlite(file), (db) => db.migrate())
  return openSqliteTarget(file)
}

/** False if it has no schema yet. Throws if it has the schema of another program or version. */
async function isMigrated(db: Database): Promise<boolean> {
  try {
    await db.check()
    return true
  } catch (error) {
    if (!(error instanceof OtherSchemaError)) throw error
    if (error.code === 'schema_older' && error.version === 0) return false
    if (error.code === 'schema_copying') return true
    throw error
  }
}

async function withDatabase<T>(db: Database, work: (db: Database) => Promise<T>): Promise<T> {
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

/** The file must be readable by its owner alone, whatever its mode was. */
function closeToOthers(to: string): void {
  const file = fileOf(to)
  if (file === undefined) return
  for (const end of ['', ...SIDECARS]) if (existsSync(file + end)) chmodSync(file + end, 0o600)
}

function fileOf(database: string): string | undefined {
  return readDatabaseUrl(database)?.databaseFile
}

async function whileOpening<T>(end: 'from' | 'to', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof CopyRefusedError ? error : new CopyOpenError(end, error)
  }
}
